//! What do the C programs of the notes do, and what do their calls give back?

use std::net::SocketAddr;
use std::slice;

use introduction::clock;
use introduction::name::Name;
use lab::prelude::*;
use lab::trial::{C, Compiled, saw};

const CLIENT: &str = env!("CARGO_BIN_EXE_daytime-tcp-client");
const INET: [&str; 4] = ["arpa/inet.h", "sys/socket.h", "netinet/in.h", "string.h"];

/// The C program's structure has the bytes of ours. A name is another matter.
pub fn htons_and_inet_pton_fill_an_address_of_numbers(cx: &Check) -> Verdict {
    let body = r#"
        struct sockaddr_in a;
        bzero(&a, sizeof a);
        a.sin_family = AF_INET;
        a.sin_port = htons(13);
        int numbers = inet_pton(AF_INET, "192.0.2.7", &a.sin_addr);
        for (size_t i = 0; i < sizeof a; i++) printf("%02x", ((unsigned char *)&a)[i]);
        printf(" %d %d", numbers, inet_pton(AF_INET, "localhost", &a.sin_addr));"#;
    let headers = [&INET[..], &["strings.h"]].concat();
    let printed = C::compiler(cx)?
        .program(&headers, body)?
        .works(cx, "htons and inet_pton")?;
    let name = Name::from(SocketAddr::from(([192, 0, 2, 7], 13)));
    let (pointer, length) = name.parts();
    // SAFETY: `pointer` is to `length` initialized bytes in `name`.
    let bytes = unsafe { slice::from_raw_parts(pointer.cast::<u8>(), length as usize) };
    let ours: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut words = printed.split(' ');
    saw(
        cx,
        "the same bytes as ours",
        words.next() == Some(&ours.concat()),
    )
    .is(true)?;
    saw(
        cx,
        "inet_pton of 192.0.2.7",
        words.next().unwrap_or_default(),
    )
    .is("1")?;
    saw(
        cx,
        "inet_pton of localhost",
        words.next().unwrap_or_default(),
    )
    .is("0")?;
    PASS
}

/// Whoever ignores the 0 connects to 0.0.0.0, which is this machine.
pub fn inet_pton_refuses_and_leaves_the_rest_to_you(cx: &Check) -> Verdict {
    let body = r#"
        const char *texts[] = { "127.0.0.1", "127.1", "010.0.0.1" };
        for (int i = 0; i < 3; i++) {
            struct in_addr a = { 0 };
            int result = inet_pton(AF_INET, texts[i], &a);
            printf("%s: %d, %08x\n", texts[i], result, ntohl(a.s_addr));
        }"#;
    let printed = C::compiler(cx)?
        .program(&INET, body)?
        .works(cx, "inet_pton")?;
    for (line, wanted) in printed.lines().zip([
        "127.0.0.1: 1, 7f000001",
        "127.1: 0, 00000000",
        "010.0.0.1: 0, 00000000",
    ]) {
        saw(cx, "inet_pton of", line).is(wanted)?;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let connected = std::net::TcpStream::connect(("0.0.0.0", port));
    saw(
        cx,
        "connect to 0.0.0.0 reaches 127.0.0.1",
        connected.is_ok(),
    )
    .is(true)?;
    PASS
}

/// Nothing failed, so `errno` is of nobody.
pub fn perror_adds_an_errno_of_nobody(cx: &Check) -> Verdict {
    let body = r#"
        fflush(stdout);
        dup2(1, 2);
        perror("usage: client <address>");
        exit(0);"#;
    let printed = C::compiler(cx)?
        .program(&["stdlib.h", "unistd.h"], body)?
        .works(cx, "perror and exit(0)")?;
    saw(cx, "perror prints", printed.as_str()).is("usage: client <address>: Success")?;
    PASS
}

/// `&&` is how a script asks whether it went well.
pub fn with_status_0_the_shell_goes_on(cx: &Check) -> Verdict {
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0")?;
    let at = nobody.local_addr()?;
    for (status, wanted) in [("", "stopped"), ("; true", "went on")] {
        let script =
            format!("{{ {CLIENT} {at} 2>/dev/null{status}; }} && echo went on || echo stopped");
        let what = if status.is_empty() {
            "status 1"
        } else {
            "status 0"
        };
        let printed = cx.tool("sh", &["-c", &script])?.exits(0)?;
        saw(
            cx,
            &format!("connect fails with {what}, the script"),
            printed.trim_end(),
        )
        .is(wanted)?;
    }
    PASS
}

/// A C string ends where its first zero is.
pub fn fputs_stops_at_a_zero(cx: &Check) -> Verdict {
    let body = "
        char line[4] = { 'a', 0, 'b' };
        int n = 3;
        line[n] = 0;
        fputs(line, stdout);";
    let printed = C::compiler(cx)?
        .program(&["string.h"], body)?
        .works(cx, "line[n] = 0, fputs")?;
    saw(cx, "of a, zero, b fputs prints bytes", printed.len()).is(1)?;

    let listener = cx.listens(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let mut client = cx.program(CLIENT, &["--reads", &listener.address()?.to_string()])?;
    let peer = listener.accepts()?;
    peer.sends(b"a\0b")?;
    peer.closes();
    let printed = client.exits(0)?;
    saw(
        cx,
        "our client prints them all",
        printed.contains("bytes: 3, reads: 1"),
    )
    .is(true)?;
    PASS
}

/// The second call overwrites what the first returned.
pub fn inet_ntoa_has_one_buffer(cx: &Check) -> Verdict {
    let body = r#"
        struct in_addr a = { htonl(0x0a000001) }, b = { htonl(0x0a000002) };
        printf("%s %d", inet_ntoa(a), inet_ntoa(a) == inet_ntoa(b));"#;
    let printed = C::compiler(cx)?
        .program(&INET, body)?
        .works(cx, "inet_ntoa")?;
    let same = printed.split(' ').nth(1) == Some("1");
    saw(cx, "two calls return the same buffer", same).is(true)?;
    PASS
}

/// Twenty-four characters, a newline, a zero. With `%.24s\r\n` the line has 26 bytes again.
pub fn ctime_is_26_bytes_and_so_is_daytime(cx: &Check) -> Verdict {
    let body = r#"
        time_t now = time(NULL);
        char line[64];
        snprintf(line, sizeof line, "%.24s\r\n", ctime(&now));
        printf("%zu %zu %d", strlen(ctime(&now)), strlen(line), line[24] == '\r');"#;
    let printed = C::compiler(cx)?
        .program(&["time.h", "string.h"], body)?
        .works(cx, "ctime and snprintf")?;
    saw(
        cx,
        "strlen of ctime, of the line; byte 24 is a carriage return",
        printed.as_str(),
    )
    .is("25 26 1")?;
    saw(cx, "our line", clock::line().len()).is(26)?;
    let line = clock::line();
    saw(
        cx,
        "without a newline inside",
        !line[..24].contains('\n') && line.ends_with("\r\n"),
    )
    .is(true)?;
    PASS
}

/// Four functions, each named for its direction. That two of them do the same on this machine is no reason to name one twice.
pub fn the_fourth_is_ntohl(cx: &Check) -> Verdict {
    let body = r#"
        printf("%d %d", ntohl(htonl(0x01020304)) == 0x01020304, ntohs(htons(0x0102)) == 0x0102);"#;
    let printed = C::compiler(cx)?
        .program(&INET, body)?
        .works(cx, "htons, htonl, ntohs, ntohl")?;
    saw(
        cx,
        "ntohl undoes htonl, ntohs undoes htons",
        printed.as_str(),
    )
    .is("1 1")?;
    PASS
}

/// The linker looks for it.
pub fn write_with_a_capital_is_not_there(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let source = |name| {
        format!(
            "long {name}(int, const void *, unsigned long); int main(void) {{ return {name}(1, \"\", 0); }}"
        )
    };
    c.run(&source("Write"))?
        .refused(cx, "Write", &["undefined", "Write"])?;
    let Compiled::Printed(_) = c.run(&source("write"))? else {
        return Err(Finding::fail("write does not link either"));
    };
    cx.evidence("write: links");
    PASS
}
