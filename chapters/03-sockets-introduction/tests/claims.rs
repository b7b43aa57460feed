//! On trial: the experiments that decide the claims of chapter 3.
//!
//! `claims.toml` names one of them for each claim. Each prints what it saw, and fails when that is not what the verdict
//! says: either way round, so a verdict that is too kind is found as surely as one that is too harsh.

use std::process::ExitCode;

use lab::prelude::*;

#[path = "claims/folder.rs"]
mod folder;
#[path = "claims/sockets.rs"]
mod sockets;

#[path = "claims/byte_order.rs"]
mod byte_order;
#[path = "claims/calls.rs"]
mod calls;
#[path = "claims/headers.rs"]
mod headers;
#[path = "claims/layout.rs"]
mod layout;
#[path = "claims/lengths.rs"]
mod lengths;
#[path = "claims/names.rs"]
mod names;
#[path = "claims/stream.rs"]
mod stream;
#[path = "claims/text.rs"]
mod text;
#[path = "claims/wire.rs"]
mod wire;

fn main() -> ExitCode {
    Suite::new("claims")
        // What a socket is
        .check(calls::a_socket_is_a_file_that_open_refuses)
        .check(calls::more_than_three_families_open)
        .check(calls::pf_inet_is_af_inet)
        .check(calls::connect_returns_before_accept_is_called)
        .check(calls::udp_needs_no_connection)
        // Byte order
        .check(byte_order::the_low_byte_comes_first_in_little_endian)
        .check(wire::port_8000_is_1f40_on_the_wire)
        .check(wire::headers_are_big_endian_and_the_payload_is_free)
        .check(byte_order::one_structure_holds_both_orders)
        .check(wire::bit_0_is_the_most_significant_on_the_wire)
        .check(byte_order::htons_gives_the_same_bytes_on_every_machine)
        .check(byte_order::s_is_16_bits_and_l_is_32)
        .check(byte_order::htons_and_ntohs_do_the_same)
        .check(headers::ntonl_and_ntons_do_not_exist)
        .check(headers::two_headers_declare_htons)
        .check(byte_order::an_unconverted_8000_binds_16415)
        .check(byte_order::the_direction_decides_not_the_time)
        .check(byte_order::inaddr_any_is_zero_in_any_order)
        .check(names::a_port_has_sixteen_bits_and_0_asks_for_one)
        // Structures
        .check(headers::netinet_in_h_defines_sockaddr_in)
        .check(layout::sockaddr_in_has_the_port_at_2_and_the_address_at_4)
        .check(headers::the_members_are_sin_family_and_sin_port)
        .check(headers::linux_has_no_sin_len)
        .check(layout::eight_unused_bytes_pad_to_sixteen)
        .check(layout::garbage_in_sin_zero_is_ignored)
        .check(layout::sockaddr_in_refuses_af_inet6)
        .check(layout::sockaddr_is_16_bytes)
        .check(layout::sa_data_has_14_bytes)
        .check(layout::sa_data_is_read_as_the_family_says)
        .check(layout::the_family_is_two_bytes)
        .check(layout::sockaddr_begins_with_the_family)
        .check(headers::sa_family_is_not_a_type)
        .check(headers::no_structure_has_sin_len_sin_family_and_sa_data)
        .check(layout::sockaddr_in6_has_the_address_at_8)
        .check(layout::sockaddr_un_is_a_family_and_a_path)
        // One type for all, and its length
        .check(headers::bind_takes_a_pointer_to_the_generic_structure)
        .check(lengths::a_converted_address_is_refused)
        .check(lengths::sockaddr_has_no_room_for_ipv6)
        .check(lengths::bind_with_the_size_of_a_pointer)
        .check(lengths::the_size_of_sockaddr_fits_ipv4_only)
        .check(lengths::getsockname_reads_the_length_first)
        .check(headers::memcmp_takes_three_arguments)
        // Text and addresses
        .check(text::inet_aton_takes_more_than_dotted_decimal)
        .check(text::inet_ntoa_has_one_buffer)
        .check(text::inet_addr_cannot_say_error)
        .check(text::inet_pton_and_inet_ntop_are_strict)
        .check(headers::the_length_of_inet_ntop_is_a_socklen_t)
        .check(text::ipv6_text_has_many_forms)
        // Scope ids
        .check(wire::a_link_local_connect_needs_the_scope_id)
        .check(text::inet_pton_refuses_a_scope_id)
        .check(names::the_scope_id_is_in_host_order)
        // UNIX paths
        .check(names::a_path_of_108_bytes_binds)
        .check(headers::sys_un_h_does_not_define_unix_path_max)
        // What a socket is bound to, and what a stream is
        .check(names::inaddr_any_is_reached_by_every_local_address)
        .check(names::the_local_address_is_fixed_by_the_connection)
        .check(stream::one_read_is_not_one_write)
        .main()
}
