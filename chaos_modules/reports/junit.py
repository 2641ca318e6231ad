"""`junit.xml`: a suite for each scenario, and one for the run as a whole. A fold over the record.

A fault that was not in effect is an error, for then nothing is said of the system; a check or alert that failed is a failure; what was not asked,
or could not be told without gating the run, is skipped. The last case is the verdict itself: a file without failure or error means exit code 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.errors import CLEANUP_COMMAND
from ..model.observation import FindingKind
from ..verdict.quantiles import seconds_text
from .findings import FAILED, UNCOUNTED, alert_name, failed_span, finding_of, fired, health_rows, remark, spans, unanswered, uncounted
from .junit_document import Case, Outcome, Suite, junit_document
from .recorded import Recorded
from .text import quantities

Json = dict[str, Any]
_REMEDIES = {
    "no-target": "correct the selector; `run_chaos.py plan` shows what it matches",
    "refused": "choose another target",
    "not-applied": "see debug.log of the record, and `run_chaos.py check`",
    "not-in-effect": "see debug.log of the record: something else may have taken the fault away",
    "lapsed": "raise squall.lease_seconds, or look why the node was too busy to renew it",
    "out-of-tolerance": "look at MEASURED in the report: another queue, or an offload, may stand between the fault and the packets",
    "no-traffic": "send traffic that the filter matches, or widen the filter",
    "interrupted": "run it again",
}


def junit(recorded: Recorded) -> str:
    """The whole file."""
    result = recorded.result
    suites = [_scenario(result, scenario, number) for number, scenario in enumerate(result["scenarios"])]
    return junit_document(f"squall run {result['run_id']}", [*suites, _run(result)], result["ended"] - result["started"])


def _scenario(result: Json, scenario: Json, number: int) -> Suite:
    started = scenario.get("started") or min((one["started"] for one in scenario["targets"] if one["started"]), default=result["started"])
    ended = scenario.get("ended") or max((one["ended"] for one in scenario["targets"] if one["ended"]), default=started)
    cases = [_target(scenario, target) for target in scenario["targets"]] or [_not_started(scenario)]
    cases += [_check(result, check) for check in result.get("checks", ()) if check["scenario"] == number]
    cases += [_removed(scenario)] if scenario["targets"] else []
    facts = [("file", scenario["file"]), ("type", scenario["type"]), ("status", scenario["status"])]
    facts += [("halted", scenario["halted"])] if scenario.get("halted") else []
    return Suite(
        name=f"{number + 1}. {scenario['id']} ({scenario['file']})", classname=f"squall.{scenario['id']}", started=started, seconds=ended - started,
        cases=cases, properties=facts,
    )  # fmt: skip


def _not_started(scenario: Json) -> Case:
    return Case(name="fault in effect", outcome=Outcome.SKIPPED, message=scenario["reason"] or "it was not started")


def _target(scenario: Json, target: Json) -> Case:
    status, took = target["status"], (target["ended"] or 0.0) - (target["started"] or target["ended"] or 0.0)
    observed = f"in effect: {'yes' if target['in_effect'] else 'no'}, measured: {quantities(target['measured']) or 'not measured'}"
    requested = ", ".join(f"{name} {value}" for name, value in target["requested"].items())
    output = f"requested: {requested}; {observed}; at peer: {quantities(target['at_peer']) or 'not measured'}; engine: {target['engine'] or 'none'}"
    message = f"{status}: {target['reason'] or observed}"
    text = f"{message}\nrequested: {requested}\n{observed}\nwhat to do: {_REMEDIES.get(status, 'see the report')}"
    return Case(
        name=f"{target['target']} ({target['direction']}): fault in effect", outcome=_outcome(scenario, status), kind=status,
        message=message, text=text, output=output, seconds=took,
    )  # fmt: skip


def _outcome(scenario: Json, status: str) -> Outcome:
    """Met no traffic beside targets that did, or ended early by a halt: nothing is proven of this target, and nothing is wrong."""
    if status == "passed":
        return Outcome.PASSED
    if (status == "no-traffic" and scenario["status"] == "passed") or (status == "interrupted" and scenario.get("halted")):
        return Outcome.SKIPPED
    return Outcome.FAILURE if status == "out-of-tolerance" else Outcome.ERROR


def _check(result: Json, check: Json) -> Case:
    window = [one for one in result.get("windows", ()) if (one["scenario"], one["phase"]) == (check["scenario"], check["phase"])]
    latency = ", ".join(f"{name} {seconds_text(value)}" for name, value in check["latency"].items())
    observed = f"{check['good']} of {check['samples']} samples good, {check['unknown']} unknown{', ' if latency else ''}{latency}"
    outcome = {True: Outcome.PASSED, False: Outcome.FAILURE, None: Outcome.SKIPPED}[check["passed"]]
    if unanswered(check) and finding_of(result, check):
        outcome = Outcome.ERROR
    told = remark(result, check) if outcome is Outcome.FAILURE or unanswered(check) else check.get("reason") or "nothing is asked of this window"
    when = failed_span(result, check)
    text = f"{told}\nobserved: {observed}\nexpected: {check['limit']}" + (f"\nnot good: {spans([when])} UTC" if when else "")
    return Case(
        name=f"{check['name']} ({check['kind']}): {check['phase']}", outcome=outcome, kind="probe", message=told,
        text=f"{text}\nwhat to do: look at the system at that time; the samples are in report.html", output=observed,
        seconds=sum(one["end"] - one["start"] for one in window),
    )  # fmt: skip


def _removed(scenario: Json) -> Case:
    put = [target for target in scenario["targets"] if target["reverted"] is not None]
    if not put:
        return Case(name="everything removed", outcome=Outcome.SKIPPED, message="nothing had been put anywhere")
    left = [f"{target['target']}: {', '.join(target.get('residue', ())) or 'its revert was not seen'}" for target in put if not target["reverted"]]
    text = "\n".join([*left, f"what to do: {CLEANUP_COMMAND} (--sandbox for a sandbox)"])
    message = f"removed on {len(put) - len(left)} of {len(put)} targets"
    return Case(name="everything removed", outcome=Outcome.FAILURE if left else Outcome.PASSED, kind="residue", message=message, text=text)


def _run(result: Json) -> Suite:
    cases = [_alert(alert) for alert in result.get("alerts", ())]
    cases += [_health(row.name, row.result, f"{row.detail}, {row.when}") for row in health_rows(result)]
    cases += [_finding(finding) for finding in result.get("findings", ()) if not _told(result, finding)]
    cases += [_nothing_left(result["residue"]), _own_problems(result.get("problems", ())), _verdict(result["verdict"])]
    facts = [("run_id", result["run_id"]), ("seed", str(result["seed"])), ("cluster", result["cluster"]), ("run_uuid", result.get("run_uuid", ""))]
    score = result.get("resiliency")
    facts += [("resiliency_score", f"{score['score']:g}")] if score else []
    return Suite(
        name="the run", classname="squall.run", started=result["started"], seconds=result["ended"] - result["started"], cases=cases,
        properties=[fact for fact in facts if fact[1]],
    )  # fmt: skip


def _alert(alert: Json) -> Case:
    name = f"alert: {alert_name(alert)}"
    if not fired(alert):
        problem = alert.get("problem", "")
        return Case(name=name, outcome=Outcome.SKIPPED if problem else Outcome.PASSED, message=f"not evaluated: {problem}", output=alert["expr"])
    fact = f"fired {spans(alert.get('intervals', ()))} UTC"
    if why := uncounted(alert):
        return Case(name=name, outcome=Outcome.SKIPPED, message=f"{fact}, but {why}", output=alert["expr"])
    text = f"{fact}\nobserved: {alert['expr']} had a result\nexpected: none\nwhat to do: look at the system at that time; see report.html"
    return Case(name=name, outcome=Outcome.FAILURE, kind=alert["severity"], message=fact, text=text, output=alert["expr"])


def _health(url: str, outcome: str, fact: str) -> Case:
    state = {FAILED: Outcome.FAILURE, UNCOUNTED: Outcome.SKIPPED}.get(outcome, Outcome.PASSED)
    text = f"observed: {fact} UTC\nexpected: status 200 throughout\nwhat to do: look at what answers there"
    return Case(name=f"healthy: {url}", outcome=state, kind="health", message=fact, text=text)


def _told(result: Json, finding: Json) -> bool:
    """Whether a case says it already: its alert's, its URL's, or that of the check that it is about."""
    if finding["kind"] in (FindingKind.ALERT, FindingKind.CRITICAL_ALERT, FindingKind.HEALTH):
        return bool(result.get("health")) if finding["kind"] == FindingKind.HEALTH else any(fired(one) for one in result.get("alerts", ()))
    return any(finding_of(result, check) == finding for check in result.get("checks", ()) if not check["passed"])


def _finding(finding: Json) -> Case:
    """One of the run, or an objective that no check of its own tells; an unknown is an error, for nothing is known of the system."""
    outcome = Outcome.ERROR if finding["kind"] == FindingKind.UNKNOWN else Outcome.FAILURE
    return Case(name=f"{finding['kind']}: {finding['reason']}", outcome=outcome, kind=finding["kind"], message=finding["reason"])


def _nothing_left(residue: Sequence[str]) -> Case:
    text = "\n".join([*residue, f"what to do: {CLEANUP_COMMAND} (--sandbox for a sandbox)"])
    outcome = Outcome.FAILURE if residue else Outcome.PASSED
    return Case(name="nothing is left", outcome=outcome, kind="residue", message=f"{len(residue)} things are left", text=text)


def _own_problems(problems: Sequence[str]) -> Case:
    """They say nothing about the system; where they matter, the verdict does."""
    return Case(name="no problem of the run itself", outcome=Outcome.SKIPPED if problems else Outcome.PASSED, message="\n".join(problems))


def _verdict(verdict: Json) -> Case:
    code, reasons = verdict["exit_code"], verdict["reasons"]
    outcome = Outcome.FAILURE if code else Outcome.PASSED
    message = f"{verdict['status']}, exit {code}"
    return Case(name="verdict", outcome=outcome, kind=verdict["status"], message=message, text="\n".join([message, *reasons]))
