//! On trial: the experiments that decide the claims of chapter 1.
//!
//! `claims.toml` names one of them for each claim. Each prints what it saw, and fails when that is not what the verdict
//! says: either way round, so a verdict that is too kind is found as surely as one that is too harsh.

use std::process::ExitCode;

use lab::prelude::*;

#[path = "claims/calls.rs"]
mod calls;
#[path = "claims/in_c.rs"]
mod in_c;
#[path = "claims/layers.rs"]
mod layers;
#[path = "claims/passive_open.rs"]
mod passive_open;
#[path = "claims/paths.rs"]
mod paths;
#[path = "claims/segments.rs"]
mod segments;
#[path = "claims/stream.rs"]
mod stream;
#[path = "claims/types.rs"]
mod types;

fn main() -> ExitCode {
    Suite::new("claims")
        // The calls, in their order
        .check(calls::a_tcp_server_calls_in_this_order)
        .check(calls::a_tcp_client_calls_in_this_order)
        .check(calls::udp_refuses_listen)
        .check(calls::the_first_sendto_takes_a_port)
        .check(calls::one_program_serves_its_own_host_and_others)
        // The server
        .check(passive_open::a_bound_port_is_not_open)
        .check(passive_open::listen_sets_acceptconn)
        .check(passive_open::without_bind_listen_takes_some_port)
        .check(passive_open::inaddr_any_needs_no_text)
        .check(passive_open::accept_cuts_to_the_length_it_left)
        // What C programs do
        .check(in_c::htons_and_inet_pton_fill_an_address_of_numbers)
        .check(in_c::inet_pton_refuses_and_leaves_the_rest_to_you)
        .check(in_c::perror_adds_an_errno_of_nobody)
        .check(in_c::with_status_0_the_shell_goes_on)
        .check(in_c::fputs_stops_at_a_zero)
        .check(in_c::inet_ntoa_has_one_buffer)
        .check(in_c::ctime_is_26_bytes_and_so_is_daytime)
        .check(in_c::the_fourth_is_ntohl)
        .check(in_c::write_with_a_capital_is_not_there)
        // The stream
        .check(stream::one_write_is_many_reads)
        .check(stream::the_end_is_0_and_a_reset_is_an_error)
        .check(stream::an_error_is_minus_one)
        .check(stream::a_write_may_take_less)
        .check(stream::order_is_kept_and_two_wrongs_make_a_right_checksum)
        // The other types
        .check(types::datagrams_are_lost_without_an_error)
        .check(types::raw_is_not_for_everybody_and_not_the_last)
        // The layers
        .check(layers::a_frame_has_three_headers_and_data)
        .check(layers::each_header_names_the_next)
        .check(layers::a_udp_header_is_eight_bytes)
        // On the way
        .check(paths::icmp_answers_some_questions_and_not_others)
        .check(paths::arp_asks_three_times_then_gives_up)
        .check(paths::the_route_decides_which_error_it_is)
        // The connection
        .check(segments::syn_synack_ack)
        .check(segments::a_close_is_four_segments_or_three_or_one)
        .main()
}
