//! Do the chapter's programs do what the book says they do?

use std::process::ExitCode;
use std::time::Duration;

use lab::prelude::*;

#[path = "programs/chat.rs"]
mod chat;
#[path = "programs/demonstrations.rs"]
mod demonstrations;
#[path = "programs/echo.rs"]
mod echo;
#[path = "programs/framing.rs"]
mod framing;
#[path = "programs/interrupts.rs"]
mod interrupts;
#[path = "programs/sum.rs"]
mod sum;
#[path = "programs/wrong_input.rs"]
mod wrong_input;

fn main() -> ExitCode {
    Suite::new("programs")
        .check(echo::each_client_leaves_a_zombie)
        .check(echo::no_client_leaves_a_zombie)
        .check(echo::every_client_gets_its_own_bytes)
        .check(echo::a_client_that_resets_does_no_harm)
        .check(echo::a_full_table_of_processes_turns_clients_away)
        .check(interrupts::accept_goes_on_after_a_signal)
        .check(interrupts::the_echo_goes_on_after_a_signal)
        .check(interrupts::connect_goes_on_after_a_signal)
        .check(interrupts::an_interrupted_connect_says_how_it_ended)
        .check(interrupts::a_client_waits_for_a_descriptor)
        .check(demonstrations::one_wait_leaves_four_of_five)
        .check(demonstrations::what_a_signal_interrupts)
        .time(Duration::from_secs(30))
        .check(demonstrations::an_aborted_connection_is_accepted)
        .check(demonstrations::the_second_write_kills)
        .check(demonstrations::structures_have_holes)
        .check(sum::text_is_text_everywhere)
        .check(sum::a_wrong_question_gets_an_answer)
        .check(sum::structures_need_the_same_machine)
        .check(framing::every_split_gives_the_messages)
        .time(Duration::from_secs(30))
        .check(framing::any_message_and_any_pieces)
        .check(framing::each_attack_is_refused_early)
        .check(chat::both_hear_what_the_other_says)
        .check(chat::the_end_of_one_keyboard_ends_both)
        .check(chat::a_killed_parent_takes_the_child_along)
        .check(chat::a_peer_cannot_reach_the_terminal)
        .check(wrong_input::bad_arguments_get_one_line)
        .main()
}
