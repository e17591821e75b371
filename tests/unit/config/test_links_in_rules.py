from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.links import KEYS, VERBS, LinkRule
from config.rules import Rule
from config.templates import Context

from .conftest import Load, Problems
from .test_projects_file import ENVIRON, HEAD

PLACE = "projects[0].rules[0].links[0]"
ACCOUNT = "    service_account: {username: x, secret: ${SA}}\n"
LINKS = {
    "device": '{user_id: "{member[user_id]}", device_id: "{member[device_id]}"}',
    "identify": '{identified_id: "{distinct_id}", anon_id: "{member[device_id]}"}',
    "alias": '{distinct_id: "{distinct_id}", alias: "{member[email]}"}',
    "merge": '{merge: ["{distinct_id}", "{member[other_id]}"], allow_merge: true}',
}


def yaml(link: str, system: str = "simplified", account: str = ACCOUNT) -> str:
    return f"{HEAD}    id_management: {system}\n{account}    rules: [{{links: [{link}]}}]"


def test_a_link_alone_is_something_that_a_rule_does(load: Load) -> None:
    rules = load(yaml(LINKS["device"]), **ENVIRON).projects["1"].rules
    assert rules.rules == (Rule(links=(LinkRule("device", "{member[user_id]}", "{member[device_id]}"),)),)
    assert (rules.has_links, rules.has_events) == (True, False)


def test_each_verb_has_keys_of_its_own(load: Load) -> None:
    links = ", ".join(LINKS[verb] for verb in ("identify", "alias", "merge"))
    (rule,) = load(yaml(links, "original"), **ENVIRON).projects["1"].rules.rules
    assert rule.links == (
        LinkRule("identify", "{distinct_id}", "{member[device_id]}"),
        LinkRule("alias", "{distinct_id}", "{member[email]}"),
        LinkRule("merge", "{distinct_id}", "{member[other_id]}", allow_merge=True),
    )


@pytest.mark.parametrize("system", VERBS)
@pytest.mark.parametrize("verb", KEYS)
def test_a_verb_that_the_projects_system_does_not_have_is_refused(
    load: Load, problems: Problems, verb: Any, system: Any
) -> None:
    if verb in VERBS[system]:
        assert load(yaml(LINKS[verb], system), **ENVIRON).projects["1"].rules.has_links
    else:
        (found,) = problems(yaml(LINKS[verb], system), **ENVIRON)
        assert found.startswith(f"{PLACE}: a project with id_management {system} cannot make this link")
        assert all(key in found for other in VERBS[system] for key in KEYS[other])


def test_a_project_whose_system_is_not_named_is_simplified(problems: Problems) -> None:
    (found,) = problems(f"{HEAD}    rules: [{{links: [{LINKS['alias']}]}}]", **ENVIRON)
    assert "id_management simplified cannot make this link (distinct_id and alias)" in found
    assert "it knows user_id and device_id" in found


def test_a_merge_needs_a_service_account(problems: Problems) -> None:
    (found,) = problems(yaml(LINKS["merge"], "original", account=""), **ENVIRON)
    assert found.startswith(f"{PLACE}: needs the project's service_account")


def test_a_link_of_the_wrong_system_hides_no_other_problem_and_no_other_hides_it(problems: Problems) -> None:
    wrong = f"{yaml(LINKS['alias'], account='')}\n    region: mars\n"
    assert [problem.split(":")[0] for problem in problems(wrong, **ENVIRON)] == [PLACE, "projects[0].region"]
    wrong = yaml(f"{LINKS['alias']}, {{merge: 1}}", "legacy", account="")
    assert sorted(problem.split(": ")[0] for problem in problems(wrong, **ENVIRON)) == [
        "projects[0].rules[0].links[1]",
        "projects[0].rules[0].links[1].allow_merge",
        "projects[0].rules[0].links[1].merge",
    ]


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("5", f"{PLACE}: must be an object that names two ids"),
        ("{}", f"{PLACE}: must be an object that names two ids"),
        ("{allow_merge: true}", f"{PLACE}: must be an object that names two ids"),
        ('{identified_id: "{distinct_id}"}', f"{PLACE}: must be an object that names two ids"),
        (
            '{distinct_id: "{distinct_id}", alias: "{member[a]}", why: x}',
            f"{PLACE}: must be an object that names",
        ),
        (
            '{distinct_id: "{distinct_id}", alias: "{member[a]}", allow_merge: true}',
            f"{PLACE}.allow_merge: unknown",
        ),
        ('{distinct_id: "{distinct_id}", alias: 5}', f"{PLACE}.alias: an id must be text"),
        ('{distinct_id: "{distinct_id}", alias: " "}', f"{PLACE}.alias: an id must be text"),
        ('{distinct_id: "{distinct_id}", alias: }', f"{PLACE}.alias: an id must be text"),
        ('{distinct_id: "{distinct_id}", alias: "{x}"}', f"{PLACE}.alias: unknown placeholder {{x}}"),
        (
            '{distinct_id: "{distinct_id}", alias: all}',
            f"{PLACE}.alias: would be one id for everybody",
        ),
        (
            '{distinct_id: "{cohort_id}", alias: "{member[a]}"}',
            f"{PLACE}.distinct_id: would be one id for everybody",
        ),
        (
            '{distinct_id: "{distinct_id}", alias: "{member[a]} {time}"}',
            f"{PLACE}.alias: would be another id at every sync",
        ),
        (
            '{distinct_id: "{distinct_id}", alias: "{distinct_id}"}',
            f"{PLACE}: links an id with itself",
        ),
        (
            '{merge: ["{distinct_id}", "{member[a]}"]}',
            f"{PLACE}.allow_merge: must be true: a merge cannot be undone",
        ),
        (
            '{merge: ["{distinct_id}", "{member[a]}"], allow_merge: yes}',
            f"{PLACE}.allow_merge: must be true",
        ),
        ('{merge: ["{distinct_id}"], allow_merge: true}', f"{PLACE}.merge: must be a list of exactly two"),
        ('{merge: "{distinct_id}", allow_merge: true}', f"{PLACE}.merge: must be a list of exactly two"),
        (
            '{merge: ["{distinct_id}", all], allow_merge: true}',
            f"{PLACE}.merge[1]: would be one id for everybody",
        ),
    ],
)
def test_a_wrong_link_is_refused_with_its_path(problems: Problems, link: str, problem: str) -> None:
    (found,) = problems(yaml(link, "original"), **ENVIRON)
    assert problem in found
    assert "(p.yaml, line 8)" in found


@pytest.mark.parametrize(
    ("links", "problem"), [("", "is empty"), ("{}", "must be a list of links"), ("[]", "is empty")]
)
def test_links_are_a_list_that_is_not_empty(problems: Problems, links: str, problem: str) -> None:
    (found,) = problems(f"{HEAD}    rules: [{{links: {links}}}]", **ENVIRON)
    assert f"projects[0].rules[0].links: {problem}" in found


def ids(link: LinkRule, distinct_id: str = "u1", **member: Any) -> tuple[str, str] | None:
    return link.rendered(Context("1", "77", "VIP", "s", 0, distinct_id, member))


ALIAS = LinkRule("alias", "{distinct_id}", "{member[a]}")


@pytest.mark.parametrize(("value", "alias"), [("x", "x"), (5, "5"), (" x", " x"), (0, "0"), (-7, "-7")])
def test_an_id_is_text_or_a_whole_number(value: Any, alias: str) -> None:
    assert ids(ALIAS, a=value) == ("u1", alias)


@pytest.mark.parametrize("value", [None, "", "  ", True, False, 1.5, [], ["x"], {}, {"x": 1}])
def test_what_is_no_id_links_nothing_neither_alone_nor_as_a_part(value: Any) -> None:
    assert ids(ALIAS, a=value) is None
    assert ids(LinkRule("alias", "{distinct_id}", "shop-{member[a]}"), a=value) is None
    assert ids(LinkRule("alias", "{member[a]}{distinct_id}", "{member[b]}"), a=value, b="x") is None


def test_a_missing_member_property_links_nothing() -> None:
    assert ids(ALIAS) is None


def test_an_id_is_not_linked_with_itself() -> None:
    assert ids(ALIAS, a="u1") is None
    assert ids(ALIAS, "5", a=5) is None


def test_a_devices_id_stands_without_the_prefix_that_its_profile_has() -> None:
    link = LinkRule("device", "{member[user]}", "{distinct_id}")
    assert ids(link, "$device:D1", user="u1") == ("u1", "D1")
    assert ids(link, "U9", user="u1") is None
    assert ids(link, "$device:", user="u1") is None
    other = LinkRule("device", "{distinct_id}", "{member[device]}")
    assert ids(other, "u1", device="D1") == ids(other, "u1", device="$device:D1") == ("u1", "D1")
    assert ids(other, "$device:D2", device="D1") is None


@given(st.text(), st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.floats()))
def test_ids_are_two_different_texts_or_none(distinct_id: str, value: Any) -> None:
    found = ids(ALIAS, distinct_id, a=value)
    if found is not None:
        assert found == (distinct_id, str(value))
        assert all(found)
        assert found[0] != found[1]


def test_what_links_need_is_exported() -> None:
    assert Rule(links=(LinkRule("alias", "{member[a]}", "x-{member[b]}"),)).exported() == {"a", "b"}
