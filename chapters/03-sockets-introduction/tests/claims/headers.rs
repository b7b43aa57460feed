//! Which names does C have, and in which header?
//!
//! Each experiment compiles the snippet twice, as claimed and as it is, so that a refusal is about the claim and not
//! about something else in the snippet.

use lab::prelude::*;
use lab::trial::{C, saw};

/// The linker looks for what the notes call it.
pub fn ntonl_and_ntons_do_not_exist(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    for (name, right) in [("ntonl", "ntohl"), ("ntons", "ntohs")] {
        // Declared by hand, so that only the linker can miss it.
        let calls =
            |name| format!("unsigned {name}(unsigned); int main(void) {{ return {name}(0); }}");
        c.run(&calls(name))?
            .refused(cx, name, &["undefined", name])?;
        let calls = format!("return {right}(0);");
        c.program(&["arpa/inet.h"], &calls)?.works(cx, right)?;
    }
    PASS
}

/// POSIX names one header, history another. The C libraries of Linux serve both.
pub fn two_headers_declare_htons(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let calls = "htons(1); htonl(1); ntohs(1); ntohl(1);";
    c.program(&["arpa/inet.h"], calls)?
        .works(cx, "with only arpa/inet.h")?;
    c.program(&["netinet/in.h"], calls)?
        .works(cx, "with only netinet/in.h")?;
    c.program(&["sys/socket.h"], calls)?
        .refused(cx, "with only sys/socket.h", &["htons"])?;
    PASS
}

/// One header is enough for the structure, its family and its address.
pub fn netinet_in_h_defines_sockaddr_in(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let prints = r#"printf("%zu", sizeof(struct sockaddr_in));"#;
    let size = c
        .program(&["netinet/in.h"], prints)?
        .works(cx, "with only netinet/in.h")?;
    saw(cx, "sizeof(struct sockaddr_in)", size.as_str()).is("16")?;
    c.program(&["sys/socket.h"], prints)?.refused(
        cx,
        "with only sys/socket.h",
        &["incomplete type"],
    )?;
    PASS
}

/// The members carry the prefix of their structure. Names like `in_port_t` are types.
pub fn the_members_are_sin_family_and_sin_port(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    for (name, right) in [("sa_family", "sin_family"), ("in_port", "sin_port")] {
        let sets = |name| format!("struct sockaddr_in a; a.{name} = 0; (void)a;");
        c.program(&["netinet/in.h"], &sets(name))?
            .refused(cx, name, &["no member named", name])?;
        c.program(&["netinet/in.h"], &sets(right))?
            .works(cx, right)?;
    }
    PASS
}

/// A program that sets it compiles on BSD and macOS only.
pub fn linux_has_no_sin_len(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let sets = |name| format!("struct sockaddr_in a; a.{name} = 0; (void)a;");
    c.program(&["netinet/in.h"], &sets("sin_len"))?.refused(
        cx,
        "sin_len",
        &["no member named", "sin_len"],
    )?;
    c.program(&["netinet/in.h"], &sets("sin_family"))?
        .works(cx, "sin_family")?;
    PASS
}

/// A member and its type cannot share a name that only the member has.
pub fn sa_family_is_not_a_type(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let declares =
        |name| format!("{name} sa_family = 0; (void)sa_family; printf(\"%zu\", sizeof sa_family);");
    c.program(&["sys/socket.h"], &declares("sa_family"))?
        .refused(
            cx,
            "sa_family sa_family",
            &["unknown type name", "sa_family"],
        )?;
    let size = c
        .program(&["sys/socket.h"], &declares("sa_family_t"))?
        .works(cx, "sa_family_t sa_family")?;
    saw(cx, "sizeof(sa_family_t)", size.as_str()).is("2")?;
    PASS
}

/// Neither structure has all three members, so whoever wrote them together looked at two.
pub fn no_structure_has_sin_len_sin_family_and_sa_data(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let sets = |of, name| format!("struct {of} a; (void)a.{name};");
    for (of, name) in [
        ("sockaddr", "sin_len"),
        ("sockaddr", "sin_family"),
        ("sockaddr_in", "sin_len"),
        ("sockaddr_in", "sa_data"),
    ] {
        let what = format!("{name} in struct {of}");
        c.program(&["netinet/in.h"], &sets(of, name))?.refused(
            cx,
            &what,
            &["no member named", name],
        )?;
    }
    for (of, name) in [
        ("sockaddr", "sa_family"),
        ("sockaddr", "sa_data"),
        ("sockaddr_in", "sin_family"),
    ] {
        let what = format!("{name} in struct {of}");
        c.program(&["netinet/in.h"], &sets(of, name))?
            .works(cx, &what)?;
    }
    PASS
}

/// To compare, it needs two places and a length.
pub fn memcmp_takes_three_arguments(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let calls = |arguments| {
        format!("char a[4] = {{0}}, b[4] = {{0}}; (void)a; (void)b; return memcmp({arguments});")
    };
    c.program(&["string.h"], &calls("(void *)a"))?.refused(
        cx,
        "memcmp(a)",
        &["too few arguments"],
    )?;
    c.program(&["string.h"], &calls("a, b, sizeof a"))?
        .works(cx, "memcmp(a, b, 4)")?;
    PASS
}

/// C does not turn one pointer into the other by itself. The GNU C library makes an exception for those who define
/// `_GNU_SOURCE`, so that is not done here.
pub fn bind_takes_a_pointer_to_the_generic_structure(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let calls = |cast: &str| {
        format!(
            "struct sockaddr_in a = {{ .sin_family = AF_INET }};
             int fd = socket(AF_INET, SOCK_DGRAM, 0);
             printf(\"%d\", bind(fd, {cast} &a, sizeof a));"
        )
    };
    let headers = ["netinet/in.h", "sys/socket.h"];
    c.program(&headers, &calls(""))?.refused(
        cx,
        "bind(fd, &a, …)",
        &["incompatible pointer type"],
    )?;
    let answer = c
        .program(&headers, &calls("(struct sockaddr *)"))?
        .works(cx, "bind(fd, (struct sockaddr *) &a, …)")?;
    saw(cx, "what that bind returns", answer.as_str()).is("0")?;
    PASS
}

/// The compiler can be asked whether two function types are the same.
pub fn the_length_of_inet_ntop_is_a_socklen_t(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let prints = r#"
        #define SAME(length) __builtin_types_compatible_p( \
            __typeof__(inet_ntop), const char *(int, const void *, char *, length))
        char text[8];
        unsigned char address[4] = { 192, 168, 2, 201 };
        const char *answer = inet_ntop(AF_INET, address, text, sizeof text);
        printf("%d %d %s", SAME(socklen_t), SAME(size_t), !answer && errno == ENOSPC ? "ENOSPC" : "ok");
    "#;
    let printed = c
        .program(
            &["arpa/inet.h", "sys/socket.h", "errno.h", "stddef.h"],
            prints,
        )?
        .works(cx, "the question")?;
    let answers: Vec<&str> = printed.split(' ').collect();
    saw(cx, "its length is a socklen_t", answers[0]).is("1")?;
    saw(cx, "its length is a size_t", answers[1]).is("0")?;
    saw(cx, "192.168.2.201 into 8 bytes", answers[2]).is("ENOSPC")?;
    PASS
}

/// The number is in a header of the kernel, not in the one that defines the structure.
pub fn sys_un_h_does_not_define_unix_path_max(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let prints = |size| format!("printf(\"%zu\", (size_t){size});");
    c.program(&["sys/un.h"], &prints("UNIX_PATH_MAX"))?
        .refused(cx, "UNIX_PATH_MAX", &["UNIX_PATH_MAX", "undeclared"])?;
    let path = "sizeof ((struct sockaddr_un *)0)->sun_path";
    let size = c
        .program(&["sys/un.h"], &prints(path))?
        .works(cx, "sizeof sun_path")?;
    saw(cx, "it is", size.as_str()).is("108")?;
    PASS
}
