#!/bin/sh
# Report yesterday's signups, the signup funnel and the cohorts: to a file, and by mail where REPORT_TO is set.
# Run it by cron, in the project's directory and its virtual environment; see docs/mixpanel-cli.md.
set -eu

folder=${REPORT_FOLDER:-var/reports}
day=$(date -u -d yesterday +%F)
week=$(date -u -d '7 days ago' +%F)
mkdir -p "$folder"
new=$(mktemp "$folder/.report.XXXXXX")
trap 'status=$?; [ "$status" = 0 ] || cat "$new.err" >&2; rm -f "$new" "$new.err"' EXIT

(
    echo "Signups by day"
    flask mixpanel query segmentation --event "Signed up" --from "$week" --to "$day"
    printf '\nSignup funnel, the whole week\n'
    flask mixpanel query funnels --funnel "Signup funnel" --from "$week" --to "$day" --interval 7
    printf '\nCohorts\n'
    flask mixpanel query cohorts
) > "$new" 2> "$new.err"
mv "$new" "$folder/$day.txt"

if [ -n "${REPORT_TO:-}" ]; then
    {
        printf 'From: %s\r\nTo: %s\r\nSubject: Mixpanel, %s\r\n' "$REPORT_FROM" "$REPORT_TO" "$day"
        printf 'Content-Type: text/plain; charset=utf-8\r\n\r\n'
        cat "$folder/$day.txt"
    } | curl --silent --show-error --fail --url "${SMTP_URL:-smtp://localhost}" \
        --mail-from "$REPORT_FROM" --mail-rcpt "$REPORT_TO" --upload-file -
fi
