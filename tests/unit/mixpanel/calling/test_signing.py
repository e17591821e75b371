import hashlib

from app.mixpanel.calling.problems import PROBLEMS
from app.mixpanel.calling.signing import ERRORS, EXPIRES_S, problem_of, signature, signed


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_a_signature_is_the_md5_of_the_sorted_pairs_and_the_secret() -> None:
    params = [("unit", "day"), ("event", '["A","B"]'), ("api_key", "k"), ("expire", "1248499222")]
    expected = md5('api_key=kevent=["A","B"]expire=1248499222unit=day' + "secret")
    assert signature(params, "secret") == expected


def test_known_signatures() -> None:
    # Computed with coreutils: printf %s 'a=b' | md5sum
    assert signature([], "") == "d41d8cd98f00b204e9800998ecf8427e"
    assert signature([], "abc") == "900150983cd24fb0d6963f7d28e17f72"
    assert signature([("a", "b")], "") == "7acaac15494e6820b1ed6d8b539af089"
    params = {"event": '["Signed Up"]', "unit": "hour", "interval": "24", "format": "json"}
    params |= {"api_key": "f0aa346688cee071cd85d857285a3464", "expire": "1275624968"}
    assert signature(params.items(), "secret") == "412af754f72d3a87b1b71a77058c883e"


def test_sig_and_callback_do_not_count_and_order_does_not_matter() -> None:
    params = [("b", "2"), ("a", "1")]
    with_others = [("callback", "f"), ("a", "1"), ("sig", "old"), ("b", "2")]
    assert signature(params, "s") == signature(with_others, "s") == md5("a=1b=2s")


def test_text_is_signed_as_utf_8_and_not_as_an_address_writes_it() -> None:
    assert signature([("event", "Käse & Brot")], "s") == md5("event=Käse & Brots")


def test_a_signed_request_ends_in_ten_minutes_and_what_the_caller_gives_of_it_is_replaced() -> None:
    given = [("event", "A"), ("api_key", "other"), ("expire", "1"), ("sig", "x")]
    found = dict(signed(given, "key", "secret", 1_000))
    assert found == {
        "event": "A",
        "api_key": "key",
        "expire": str(1_000 + EXPIRES_S),
        "sig": md5(f"api_key=keyevent=Aexpire={1_000 + EXPIRES_S}secret"),
    }


def test_every_error_of_the_legacy_table_has_a_problem_of_its_own() -> None:
    table = {
        "Invalid API key": "invalid_api_key",
        "Invalid request signature": "invalid_signature",
        "Expired request": "expired_request",
        "Missing required parameter: event": "missing_parameter",
        "Invalid parameter: unit": "invalid_parameter",
        "Invalid JSON Format": "invalid_json",
        "Invalid endpoint": "invalid_endpoint",
    }
    assert {text: problem_of(text) for text in table} == table
    assert set(ERRORS.values()) == set(table.values()) <= set(PROBLEMS)
    assert problem_of("something else") is None
