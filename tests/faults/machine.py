"""What can happen to the machine that watches, what is seen then, and which test brings it about."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happens."""

    sentence: str
    seen: str
    proofs: tuple[str, ...]
    """The tests, by file and name; more than one where both products have theirs."""


_OWN, _LOAD, _WATCH, _STORAGE, _EXCHANGE = (
    "faults/test_machine.py::",
    "exporter/test_load.py::",
    "exporter/test_watch.py::",
    "exporter/test_storage.py::",
    "core/test_exchange.py::",
)
_MEMORY, _COORDINATOR, _INIT, _HOME = (
    f"ha/integration/test_{name}.py::" for name in ("memory", "coordinator", "init", "faults")
)

MACHINE = (
    Row(
        "The clock is set, ahead or back, by an hour or four hundred days; daylight saving begins or ends.",
        "Nothing. Polls go by a clock that nobody sets.",
        tuple(
            file + "test_a_clock_that_is_set_neither_hurries_nor_stops_a_poll_and_invents_nothing"
            for file in (_OWN, _HOME)
        ),
    ),
    Row(
        "The clock is set while a balance is held.",
        "It is unknown an hour after it was read by either clock, never later.",
        (_HOME + "test_a_clock_that_is_set_makes_no_balance_younger",),
    ),
    Row(
        "The clock was set back while the process was down.",
        "What was read at a time that has not come yet is not shown; the next poll is an interval away at most.",
        (
            _STORAGE + "test_a_clock_that_was_set_back_neither_hurries_nor_stops_the_polls",
            _MEMORY + "test_a_reading_of_unknown_age_is_not_shown",
        ),
    ),
    Row(
        "Answers flip from poll to poll.",
        "One line of the log for each change; the good balance, or none.",
        (
            _OWN + "test_answers_that_flip_are_one_line_each_and_never_a_wrong_number",
            _COORDINATOR + "test_the_status_follows_from_failure_to_failure",
        ),
    ),
    Row(
        "The process is stopped, or the machine sleeps, and goes on.",
        "No account is unreachable for that; a balance that has grown too old meanwhile is not shown.",
        (
            _WATCH + "test_a_process_that_was_stopped_calls_nobody_unreachable",
            _EXCHANGE + "test_a_process_that_was_stopped_reads_the_answer_that_came_meanwhile",
            _COORDINATOR + "test_a_machine_that_slept_shows_no_old_balance",
        ),
    ),
    Row(
        "A poll hangs.",
        "Other providers are polled in time, and the process ends when it is asked to.",
        (
            _WATCH + "test_accounts_that_hang_cost_no_other_provider_a_poll",
            _WATCH + "test_names_that_hang_cost_no_other_account_a_poll_and_hold_up_no_end",
            _INIT + "test_a_silent_provider_holds_up_neither_start_nor_stop",
        ),
    ),
    Row(
        "Clients of the exporter use all descriptors up.",
        "Polls and scrapes go on; one line in the log.",
        (_LOAD + "test_idle_clients_leave_descriptors_for_polls_and_scrapes",),
    ),
    Row(
        "Clients of the exporter use all descriptors up, while everything of this page happens.",
        "Each account has the reason that it has anyhow.",
        ("faults/test_exporter.py::test_while_idle_clients_take_the_descriptors_every_fault_is_told_for_what_it_is",),
    ),
    Row(
        "Something else in the process uses all descriptors up.",
        "Accounts are unreachable, and their last numbers stand; the first free one ends it.",
        (_OWN + "test_without_a_descriptor_left_the_last_numbers_stand_and_the_next_free_one_ends_it",),
    ),
    Row(
        "Nobody reads the log.",
        "Polls and scrapes go on.",
        (_LOAD + "test_a_log_that_nobody_reads_stops_nothing",),
    ),
    Row(
        "The disk is full.",
        "Numbers go on from memory; one line in the log, and one once there is room again.",
        (_STORAGE + "test_a_full_disk_ends_nothing_and_is_told_once",),
    ),
    Row(
        "The storage is read-only.",
        "It is read, and the log says that nothing is stored.",
        (_STORAGE + "test_a_file_that_is_read_only_is_read",),
    ),
    Row(
        "The storage is damaged, or of a newer version.",
        "It is set aside, and the log says so.",
        (
            _STORAGE + "test_what_cannot_be_used_is_set_aside_in_words",
            _MEMORY + "test_what_cannot_be_read_is_set_aside_in_words",
        ),
    ),
    Row(
        "The process is killed, or the power fails, in the middle of a poll.",
        "It was a poll: the provider is not asked again before it is due, and no counter falls.",
        (
            _STORAGE + "test_a_poll_that_a_crash_cut_off_is_not_made_again",
            "soak/test_soak.py::test_fifteen_kills",
            _MEMORY + "test_a_poll_that_a_power_cut_ended_was_a_poll",
        ),
    ),
)
