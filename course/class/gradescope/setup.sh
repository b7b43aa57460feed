#!/usr/bin/env bash
# Gradescope runs this once, when the autograder's image is built. It may use the network; run_autograder does not.
set -euo pipefail
base=${AUTOGRADER:-/autograder}
# shellcheck source=course.conf
. "$base/source/course.conf"

if [ "$(id -u)" = 0 ] && [ -z "${COURSE_NO_PACKAGES:-}" ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends \
    ca-certificates curl gcc git iproute2 libc6-dev procps psmisc util-linux >/dev/null
fi

if [ ! -d "$base/course" ]; then
  git clone --quiet "$COURSE_REPOSITORY" "$base/course"
fi
cd "$base/course"
git -c advice.detachedHead=false checkout --quiet "$COURSE_COMMIT"

# The toolchain that the course asks for.
export CARGO_HOME=$base/cargo RUSTUP_HOME=${RUSTUP_HOME:-$base/rustup}
PATH=$CARGO_HOME/bin:$PATH
if ! command -v cargo >/dev/null; then
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
    sh -s -- -y --quiet --no-modify-path --profile minimal --default-toolchain none
  rustup toolchain install
fi
cargo build --quiet --locked --package course
cargo fetch --quiet --locked

# Where there is no sandbox, the compiler could be told to read these.
find solutions -path '*/stub/*' -prune -o -name '*.rs' -exec truncate -s 0 {} +

# Grade an untouched exercise once, so that all that answers have in common is compiled.
warm=$(mktemp -d)
mkdir -p "$warm/class/nobody"
if [ -n "$EXERCISE" ]; then
  stub=$(echo exercises/*/"$EXERCISE"/src)
  cp -R "$stub" "$warm/class/nobody/src"
else
  cp -R exercises "$warm/class/nobody/exercises"
fi
"$base/source/run_autograder" --class "$warm/class" "$warm/results"
rm -rf "$warm"
