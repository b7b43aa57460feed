//! On trial: the experiments that decide the claims of chapter 5.
//!
//! `claims.toml` names one of them for each claim. Each prints what it saw, and fails when that is not what the verdict
//! says: either way round, so a verdict that is too kind is found as surely as one that is too harsh.

use std::process::ExitCode;
use std::time::Duration;

use lab::prelude::*;

#[path = "claims/common.rs"]
mod common;
#[path = "../../03-sockets-introduction/tests/claims/sockets.rs"]
#[allow(
    dead_code,
    reason = "what chapter 3 does with addresses is more than is needed here"
)]
mod sockets;

#[path = "claims/chat.rs"]
mod chat;
#[path = "claims/files.rs"]
mod files;
#[path = "claims/framing.rs"]
mod framing;
#[path = "claims/gone.rs"]
mod gone;
#[path = "claims/handlers.rs"]
mod handlers;
#[path = "claims/in_c.rs"]
mod in_c;
#[path = "claims/interrupted.rs"]
mod interrupted;
#[path = "claims/owner.rs"]
mod owner;
#[path = "claims/power.rs"]
mod power;
#[path = "claims/representation.rs"]
mod representation;
#[path = "claims/scan.rs"]
mod scan;
#[path = "claims/sigpipe.rs"]
mod sigpipe;
#[path = "claims/start.rs"]
mod start;
#[path = "claims/stream.rs"]
mod stream;
#[path = "claims/waiting.rs"]
mod waiting;
#[path = "claims/zombies.rs"]
mod zombies;

fn main() -> ExitCode {
    let half_a_minute = Duration::from_secs(30);
    Suite::new("claims")
        // From start to end
        .check(start::what_is_not_zeroed_may_mean_something)
        .check(start::one_read_is_not_an_echo_server)
        .check(start::minus_one_as_a_count_is_efault)
        .check(start::two_who_read_first_wait_for_ever)
        .check(start::at_the_end_of_its_input_it_reads_on)
        .check(in_c::fputs_goes_on_behind_a_full_buffer)
        .check(start::accept_with_length_0_writes_no_address)
        .check(start::the_option_is_an_int)
        .check(start::so_reuseaddr_after_bind_is_too_late)
        .check(start::each_process_closes_its_copy)
        .check(start::closing_the_listener_leaves_the_connection)
        .check(in_c::behind_an_endless_loop_is_nothing)
        .check(in_c::private_headers_are_of_one_library)
        // Zombies
        .check(zombies::an_ended_child_keeps_its_number_until_wait)
        .check(zombies::a_server_that_forgets_its_children_has_zombies)
        .check(zombies::a_parent_may_say_that_it_will_not_wait)
        .check(zombies::one_signal_may_stand_for_five_children)
        .check(zombies::minus_one_is_true)
        .check(zombies::the_waiting_loop_ends_with_echild)
        .check(zombies::waitpid_asks_and_chooses)
        .check(zombies::wait_gives_the_same_status)
        .check(handlers::some_signals_come_when_they_are_called)
        .check(handlers::printf_in_a_handler_garbles)
        .check(handlers::a_handler_changes_errno_under_main)
        .check(handlers::signal_is_sigaction_with_flags_of_the_library)
        .check(in_c::signal_takes_a_function_and_returns_the_old_one)
        .check(in_c::a_function_becomes_a_pointer_when_it_is_used)
        // Interrupted calls
        .check(interrupted::a_file_is_not_slow)
        .check(interrupted::eintr_is_what_you_asked_for)
        .check(interrupted::an_interrupted_call_can_be_made_again)
        .check(interrupted::select_is_not_restarted)
        .check(interrupted::calls_with_a_time_are_never_restarted)
        .check(interrupted::an_ignored_signal_interrupts_nothing)
        .check(interrupted::connect_can_be_called_again)
        .time(half_a_minute)
        // Gone before it was accepted, and after
        .check(gone::accept_returns_a_connection_that_is_reset)
        .check(gone::a_killed_server_says_fin)
        .check(gone::threads_hear_it_as_well_as_poll)
        .check(gone::a_fin_does_not_forbid_to_write)
        .check(gone::a_fin_says_only_no_more_from_here)
        // SIGPIPE
        .check(sigpipe::sigpipe_ends_a_server_that_does_nothing)
        .check(sigpipe::the_first_write_to_a_closed_peer_succeeds)
        .check(sigpipe::after_a_reset_the_first_write_says_so)
        .check(sigpipe::msg_nosignal_is_another_remedy)
        .check(gone::write_never_returns_0)
        .check(sigpipe::no_error_is_seen_by_the_dead)
        // The server's host
        .check(power::a_crashed_host_says_nothing)
        .time(half_a_minute)
        .check(power::a_host_that_knows_nothing_says_rst)
        .check(power::a_host_that_shuts_down_says_fin_in_time)
        // Text or binary
        .check(representation::the_payload_is_little_endian_and_the_header_is_not)
        .check(representation::the_payload_is_one_and_two)
        .check(representation::a_long_has_eight_bytes)
        .check(representation::the_checksum_is_half_done)
        .check(representation::two_machines_see_two_structures)
        // Framing
        .check(stream::writes_are_joined_and_split)
        .check(stream::small_writes_wait_for_an_acknowledgment)
        .check(stream::no_sender_waits_until_there_is_enough)
        .time(half_a_minute)
        .check(stream::a_late_reader_reads_ten_segments_at_once)
        .check(framing::records_of_one_size_survive_every_split)
        .check(framing::a_delimiter_must_not_be_in_the_message)
        .check(framing::a_length_needs_a_limit)
        .check(stream::recv_is_for_sockets)
        .check(framing::readn_loses_what_came_before_an_error)
        .check(framing::writen_cannot_say_how_far_it_came)
        .check(framing::a_peeked_line_has_more_than_the_line)
        .check(framing::half_a_line_is_an_error_without_blocking)
        // Chat
        .check(chat::a_handler_registered_after_fork_may_be_late)
        .check(chat::an_ended_input_is_always_ready)
        .check(chat::the_parent_may_be_somebody_else)
        .check(chat::one_process_can_chat_with_poll)
        // A port from outside
        .check(scan::nmap_tells_open_from_closed)
        .check(scan::a_syn_scan_needs_a_raw_socket)
        .check(scan::version_detection_listens_first)
        .time(Duration::from_secs(60))
        .check(scan::nmap_has_more_than_four_answers)
        .time(half_a_minute)
        .check(scan::filtered_is_what_nobody_answers)
        // A port from inside
        .check(owner::fuser_shows_how_a_file_is_used)
        .check(owner::fuser_finds_who_has_a_port)
        .check(owner::fuser_reads_proc)
        // Files
        .check(start::a_relative_name_begins_where_the_process_is)
        .check(files::sendfile_sends_files)
        .check(files::st_mode_is_type_and_permissions)
        .check(files::a_file_has_as_many_links_as_names)
        .check(files::st_blocks_counts_512_bytes)
        .check(files::st_atime_is_noted_as_the_mount_says)
        .check(files::st_ctime_changes_with_the_content)
        .check(in_c::the_times_are_timespecs)
        .check(in_c::glibc_says_invalid_pointer_and_aborts)
        .main()
}
