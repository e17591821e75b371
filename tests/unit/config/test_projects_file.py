from typing import Any

import pytest

from config.rules import DEFAULT_RULES, Operation, Rule, RuleSet

from .conftest import Load, Problems

ENVIRON = {"TOKEN": "token-hush", "SA": "secret-hush", "HOOK": "password-hush"}
HEAD = """
projects:
  - id: 1
    token: ${TOKEN}
    webhook_credentials: [{username: mixpanel, password: ${HOOK}}]
"""


def test_a_full_file_gives_typed_projects_in_its_order(load: Load) -> None:
    projects = load(
        """
        projects:
          - id: 2195193
            name: Shop
            region: EU
            token: ${TOKEN}
            service_account: {username: relay.1.mp-service-account, secret: ${SA}}
            id_management: original
            integration_id: my-company
            webhook_credentials:
              - {username: a, password: ${HOOK}}
              - {username: b, password: "${HOOK}"}
            never_pause: true
            rules:
              - cohorts: {ids: [77, "0078"], names: ["VIP *"]}
                copy: {email: $email}
                enter: {$union: {Cohorts: ["{cohort_name}"]}, $set: {VIP: true, Plan: {a: [1]}}}
                exit: {$remove: {Cohorts: "{cohort_name}"}, $unset: [VIP]}
                update: {$add: {Updates: 1}}
              - exit: {$delete: true}
          - {id: "1", token: ${TOKEN}, webhook_credentials: [{username: a, password: ${HOOK}}], rules: []}
        """,
        **ENVIRON,
    ).projects
    assert list(projects) == ["2195193", "1"]
    shop, other = projects.values()
    assert (shop.id, shop.name, shop.region, shop.id_management) == ("2195193", "Shop", "eu", "original")
    assert shop.service_account is not None
    assert shop.service_account.secret.reveal() == "secret-hush"
    assert shop.token.reveal() == "token-hush"
    assert [(c.username, c.password.reveal()) for c in shop.webhook_credentials] == [
        ("a", "password-hush"),
        ("b", "password-hush"),
    ]
    assert shop.never_pause is True
    assert shop.hosts.ingestion == "https://api-eu.mixpanel.com"
    assert shop.rules.rules == (
        Rule(
            cohort_ids=frozenset({"77", "0078"}),
            cohort_names=("VIP *",),
            copy={"email": "$email"},
            enter=(
                Operation("$union", "Cohorts", ["{cohort_name}"]),
                Operation("$set", "VIP", True),
                Operation("$set", "Plan", {"a": [1]}),
            ),
            exit=(Operation("$remove", "Cohorts", "{cohort_name}"), Operation("$unset", "VIP")),
            update=(Operation("$add", "Updates", 1),),
        ),
        Rule(exit=(Operation("$delete", ""),)),
    )
    assert (other.name, other.region, other.service_account, other.rules) == ("1", "us", None, RuleSet())
    assert "hush" not in repr((projects, shop, other))


def test_a_project_without_rules_has_the_default_rule(load: Load) -> None:
    assert load(HEAD, **ENVIRON).projects["1"].rules == DEFAULT_RULES


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("{}", "projects[0].rules[0]: does nothing"),
        ("5", "projects[0].rules[0]: must be an object"),
        ("{events: {}, exit: {$delete: true}}", "projects[0].rules[0].events: unknown field"),
        ("{enter: {$sett: {a: 1}}}", "projects[0].rules[0].enter.$sett: unknown operation"),
        ("{enter: {}}", "projects[0].rules[0].enter: names neither an operation nor an event"),
        ("{enter: }", "projects[0].rules[0].enter: is empty"),
        ("{enter: [1]}", "projects[0].rules[0].enter: must be an object of operations"),
        ("{enter: {$set: {}}}", "projects[0].rules[0].enter.$set: must be an object"),
        ("{enter: {$set: {a: }}}", "projects[0].rules[0].enter.$set.a: is empty; use $unset"),
        (
            "{enter: {$set: {a: {cohort_name}}}}",
            "projects[0].rules[0].enter.$set.a.cohort_name: is empty (a t",
        ),
        ("{enter: {$set: {5: a}}}", "projects[0].rules[0].enter.$set.5: a property name must be text"),
        ('{enter: {$set: {"{x}": a}}}', "projects[0].rules[0].enter.$set.{x}: unknown placeholder {x}"),
        ('{enter: {$set: {a: [b, {c: "{"}]}}}', "projects[0].rules[0].enter.$set.a[1].c: a lone '{'"),
        ("{enter: {$set: {a: 9223372036854775808}}}", "projects[0].rules[0].enter.$set.a: is too large"),
        ("{enter: {$set: {a: 1.0e999}}}", "projects[0].rules[0].enter.$set.a: is too large"),
        (f"{{enter: {{$set: {{{'x' * 256}: 1}}}}}}", "a property name has at most 255"),
        ('{enter: {$add: {a: "1"}}}', "projects[0].rules[0].enter.$add.a: must be a number"),
        ("{enter: {$union: {a: b}}}", "projects[0].rules[0].enter.$union.a: must be a list"),
        ("{exit: {$remove: {a: [b]}}}", "projects[0].rules[0].exit.$remove.a: must be a single value"),
        ("{exit: {$unset: a}}", "projects[0].rules[0].exit.$unset: must be a list"),
        ("{exit: {$unset: [a, 5]}}", "projects[0].rules[0].exit.$unset[1]: a property name must be text"),
        ("{exit: {$delete: yes}}", "projects[0].rules[0].exit.$delete: must be true"),
        ("{exit: {$delete: true, $unset: [a]}}", "projects[0].rules[0].exit.$delete: deletes the whole"),
        ('{exit: {$set: {a: "{member[b]}"}}}', "projects[0].rules[0].exit.$set.a: {member[...]} cannot be"),
        ('{exit: {$unset: ["{member[b]}"]}}', "projects[0].rules[0].exit.$unset[0]: {member[...]} cannot be"),
        ("{copy: {a: 5}}", "projects[0].rules[0].copy.a: both names"),
        ("{copy: [a]}", "projects[0].rules[0].copy: must be an object"),
        ("{cohorts: {ids: []}, copy: {a: b}}", "projects[0].rules[0].cohorts.ids: is empty"),
        ("{cohorts: {names: x}, copy: {a: b}}", "projects[0].rules[0].cohorts.names: must be a list"),
        ("{cohorts: , copy: {a: b}}", "projects[0].rules[0].cohorts: is empty"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_path(problems: Problems, rule: str, problem: str) -> None:
    (found,) = problems(f"{HEAD}    rules: [{rule}]", **ENVIRON)
    assert problem in found
    assert found.endswith("(p.yaml, line 6)")


def test_a_wrong_value_in_an_exit_rule_hides_no_other_problem(problems: Problems) -> None:
    rule = '{exit: {$remove: {A: "{cohort}", B: "{member[x]}", C: [1]}}}'
    found = problems(f"{HEAD}    rules: [{rule}]\nmore: 1", **ENVIRON)
    assert [problem.split(":")[0] for problem in found] == [
        "projects[0].rules[0].exit.$remove.A",
        "projects[0].rules[0].exit.$remove.B",
        "projects[0].rules[0].exit.$remove.C",
        "more",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("region: mars", "projects[0].region: must be one of us, eu, in"),
        ("id_management: none", "projects[0].id_management: must be one of simplified, original, legacy"),
        ("never_pause: yes", "projects[0].never_pause: must be true or false"),
        ("integration_id: a b", "projects[0].integration_id: must be letters"),
        ("service_account: {username: x}", "projects[0].service_account.secret: is missing"),
        (
            "service_account: {username: 'a:b', secret: ${SA}}",
            "projects[0].service_account.username: must not",
        ),
        ("service_account: {username: a, secret: ${NOPE}}", "the environment variable NOPE is not set"),
        (
            "service_account: {username: a, secret: literal-hush}",
            "projects[0].service_account.secret: must name",
        ),
        ("service_account: {username: a, secret: 'x${SA}'}", "projects[0].service_account.secret: must name"),
        ("rules:", "projects[0].rules: is empty; leave it out"),
        ("rules: {}", "projects[0].rules: must be a list"),
        ("regoin: us", "projects[0].regoin: unknown field"),
        ("token: ${TOKEN}", "projects[0].token: is written twice"),
    ],
)
def test_a_wrong_field_is_refused_with_its_path(problems: Problems, line: str, problem: str) -> None:
    (found,) = problems(f"{HEAD}    {line}", **ENVIRON)
    assert problem in found
    assert found.endswith("(p.yaml, line 6)")


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        ("", "projects: is missing (p.yaml)"),
        ("projects: []", "projects: is empty (p.yaml, line 1)"),
        ("projects:", "projects: is empty (p.yaml, line 1)"),
        ("- a", "the file: must be an object (names and values) (p.yaml, line 1)"),
        ("projects:\n\t- a", "p.yaml: line 2, column 1: found character '\\t' that cannot start any token"),
        ("a: \x01", "p.yaml: line 1: holds a character that YAML does not allow"),
        ('a: "\\ud800"', "p.yaml: line 1, column 4: half a character (a lone surrogate)"),
        ("a: !!python/name:os.system", "p.yaml: line 1, column 4: could not determine a constructor"),
        ("a: &x [*x]", "p.yaml: cannot be read (RecursionError)"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_line(
    problems: Problems, yaml: str, problem: str
) -> None:
    (found,) = problems(yaml)
    assert found.startswith(problem)


@pytest.mark.parametrize("project_id", ["''", "a:b", "'{1}'", "[1]", "true", "1.5"])
def test_an_id_that_could_not_be_part_of_a_key_is_refused(problems: Problems, project_id: str) -> None:
    (found,) = problems(HEAD.replace("id: 1", f"id: {project_id}"), **ENVIRON)
    assert found.startswith("projects[0].id: ")


def test_two_projects_cannot_have_one_id_however_it_is_written(problems: Problems) -> None:
    second = HEAD.replace("projects:\n", "").replace("id: 1", 'id: "1"')
    (found,) = problems(HEAD + second, **ENVIRON)
    assert found == "projects[1].id: is the id of projects[0] already (p.yaml, line 7)"


def test_two_projects_may_share_a_webhook_credential(load: Load) -> None:
    second = HEAD.replace("projects:\n", "").replace("id: 1", "id: 2")
    one, two = load(HEAD + second, **ENVIRON).projects.values()
    assert one.webhook_credentials == two.webhook_credentials


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("0123", "0123"),
        ("2026-08-01", "2026-08-01"),
        ("1_000", "1_000"),
        ("true", True),
        ("-4", -4),
    ],
)
def test_yaml_values_mean_what_they_look_like(load: Load, written: str, value: Any) -> None:
    rules = load(f"{HEAD}    rules: [{{enter: {{$set: {{a: {written}}}}}}}]", **ENVIRON).projects["1"].rules
    assert rules.rules[0].enter == (Operation("$set", "a", value),)


def test_a_reference_may_stand_for_a_field_that_is_no_secret_but_not_within_a_rule(
    load: Load, problems: Problems
) -> None:
    yaml = HEAD.replace("id: 1", "id: ${PROJECT}\n    name: ${NAME}")
    project = load(yaml, PROJECT="77", NAME=" Shop ", **ENVIRON).projects["77"]
    assert project.name == "Shop"
    (found,) = problems(f"{HEAD}    rules: [{{enter: {{$set: {{a: ${{TOKEN}}}}}}}}]", **ENVIRON)
    assert "unknown placeholder {TOKEN}" in found
