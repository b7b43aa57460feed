//! What the compiler and the C library make of the notes' C.

use lab::prelude::*;
use lab::trial::{C, Compiled, saw};
use nix::unistd::read;

use crate::common::{connection, said};

/// A full buffer has no room for the zero that ends a C string.
pub fn fputs_goes_on_behind_a_full_buffer(cx: &Check) -> Verdict {
    let source = r#"
#include <stdio.h>
#include <unistd.h>
int main(void) {
    struct { char buffer[8]; char behind[8]; } memory = { "", "secret" };
    int ends[2];
    if (pipe(ends) == -1 || write(ends[1], "12345678", 8) != 8) return 1;
    if (read(ends[0], memory.buffer, sizeof memory.buffer) != 8) return 1;
    fputs(memory.buffer, stdout);
    return 0;
}
"#;
    let printed = C::compiler(cx)?
        .run(source)?
        .works(cx, "read of 8 bytes into 8, fputs")?;
    saw(cx, "it prints", printed).is("12345678secret")?;
    PASS
}

/// The compiler does not even look for the function that stands there.
pub fn behind_an_endless_loop_is_nothing(cx: &Check) -> Verdict {
    let source = r"
void defined_nowhere(void);
int main(int count, char **arguments) {
    for (;;) { if (count) return 0; }
    defined_nowhere();
}
";
    C::compiler(cx)?
        .run(source)?
        .works(cx, "a call behind an endless loop, to no function")?;

    let (client, server) = connection()?;
    let subject = cx.subject(move || read(&server, &mut [0; 16]))?;
    subject.waits_in(&["read"])?;
    subject.signal(nix::sys::signal::Signal::SIGKILL);
    let end = read(&client, &mut [0]);
    saw(cx, "the server is killed, the client reads", said(end)).is("0")?;
    PASS
}

/// Headers that are parts of others, of one C library.
pub fn private_headers_are_of_one_library(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let version = "printf(\"%d\\n\", (int)__GLIBC__);";
    if c.program(&["features.h"], version)?
        .works(cx, "__GLIBC__")
        .is_err()
    {
        return Err(Finding::needs("a C compiler for the GNU C library"));
    }
    for header in ["asm-generic/socket.h", "bits/types/error_t.h"] {
        c.program(&[header], "")?.works(cx, header)?;
    }
    let body = "int s = socket(AF_INET, SOCK_STREAM, 0); printf(\"%d\", s < 0);";
    let public = ["sys/socket.h", "netinet/in.h", "errno.h"];
    c.program(&public, body)?
        .works(cx, "the program without them")?;
    c.program(&["bits/socket.h"], "")?
        .refused(cx, "bits/socket.h", &["Never include"])?;
    PASS
}

/// The declaration that everybody reads twice.
pub fn signal_takes_a_function_and_returns_the_old_one(cx: &Check) -> Verdict {
    let source = r#"
#include <signal.h>
#include <stdio.h>
typedef void handler(int);
static void first(int number) { (void)number; }
static void second(int number) { (void)number; }
int main(void) {
    handler *(*same)(int, handler *) = signal;
    handler *before = same(SIGUSR1, first);
    handler *after = same(SIGUSR1, second);
    printf("%d %d", before == SIG_DFL, after == first);
    return 0;
}
"#;
    let printed = C::compiler(cx)?
        .run(source)?
        .works(cx, "a pointer to a function of that type")?;
    saw(cx, "it returned SIG_DFL, then the first handler", printed).is("1 1")?;
    PASS
}

/// A function's name is a function, and becomes a pointer as soon as it is used.
pub fn a_function_becomes_a_pointer_when_it_is_used(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let source = r#"
#include <stdio.h>
static void f(int number) { (void)number; }
int main(void) {
    void (*pointer)(int) = f;
    printf("%d %d", pointer == &f, *f == f);
    printf(" %d", _Generic(&f, void (*)(int): 1, default: 0));
    return 0;
}
"#;
    let printed = c.run(source)?.works(cx, "f where a pointer is wanted")?;
    saw(
        cx,
        "f is &f, *f is f, and &f is a pointer to a function",
        printed,
    )
    .is("1 1 1")?;
    let source = "static void f(int n) { (void)n; }\nint main(void) { f = 0; return 0; }";
    c.run(source)?.refused(cx, "f = 0", &["assign"])?;
    PASS
}

/// The types have names of their own, and the times have nanoseconds.
pub fn the_times_are_timespecs(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let body = r#"
        struct stat s;
        s.st_mtim = (struct timespec){ 1, 2 };
        blksize_t *blksize = &s.st_blksize; blkcnt_t *blocks = &s.st_blocks;
        (void)blksize; (void)blocks;
        printf("%d %d", (int)s.st_mtime, (int)s.st_mtim.tv_nsec);"#;
    let headers = ["sys/types.h", "sys/stat.h", "time.h"];
    let printed = c
        .program(&headers, body)?
        .works(cx, "st_mtim, blksize_t, blkcnt_t")?;
    saw(cx, "st_mtime is the seconds of st_mtim", printed).is("1 2")?;
    // POSIX lets both be negative; on the machines of this book they are.
    let body = r#"printf("%d", (blkcnt_t)-1 < 0);"#;
    let printed = c.program(&headers, body)?.works(cx, "a blkcnt_t")?;
    saw(cx, "blkcnt_t is signed", printed).is("1")?;
    PASS
}

/// What the library of this machine says, and how it ends.
pub fn glibc_says_invalid_pointer_and_aborts(cx: &Check) -> Verdict {
    let source = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifndef __GLIBC__
#error not the GNU C library
#endif
int main(void) {
    int ends[2], status;
    char said[256] = "";
    if (pipe(ends)) return 1;
    if (fork() == 0) {
        char memory[64];
        char *volatile inside = memory + 16;
        dup2(ends[1], 2);
        free(inside);
        _exit(0);
    }
    close(ends[1]);
    if (read(ends[0], said, sizeof said - 1) < 0) return 1;
    wait(&status);
    printf("%d %s", WIFSIGNALED(status) ? WTERMSIG(status) : 0, said);
    return 0;
}
"#;
    let printed = match C::compiler(cx)?.run(source)? {
        Compiled::Refused(why) if why.contains("not the GNU C library") => {
            return Err(Finding::needs("the GNU C library"));
        }
        compiled => compiled.works(cx, "free of an array's middle")?,
    };
    let (signal, said) = printed.split_once(' ').unwrap_or_default();
    saw(cx, "it ends with signal", signal).is("6")?;
    saw(cx, "and says", said.trim()).is("free(): invalid pointer")?;
    PASS
}
