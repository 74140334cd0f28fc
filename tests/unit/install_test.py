#!/usr/bin/env python3
"""Installs a build tree into a new folder and looks at what is there: install_test.py TREE [WORD...]

installed_files.txt lists what is expected.
"""

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "../platform/selftest"))

import testing  # noqa: E402

SECONDS = 120
PREFIX = "usr/local"


def said(*command, **how):
    """Standard output and error of a command that must succeed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS,
                          check=False, **how)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main(tree, words):
    root = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, root)
    prefix = os.path.join(root, PREFIX)
    said("meson", "install", "-C", tree, "--no-rebuild", "--destdir", root, env=os.environ | {"DESTDIR": root})
    programs = sorted(os.listdir(os.path.join(prefix, "bin")))
    sources = os.path.join(HERE, "../..")
    environment = os.environ | {"PATH": os.path.join(prefix, "bin") + ":" + os.environ["PATH"]}

    def page(name):
        section = name.rsplit(".", 1)[1]
        return os.path.join(prefix, "share/man", f"man{section}", name)

    def help_of(program):
        return said(os.path.join(prefix, "bin", program), "--help", env=environment)

    @testing.test
    def exactly_the_listed_files_are_installed():
        found = {os.path.relpath(os.path.join(folder, name), prefix) for folder, _, names in os.walk(prefix) for name in names}
        wanted = {line for line in read(os.path.join(HERE, "installed_files.txt")).splitlines() if line and not line.startswith("#")}
        testing.equal((sorted(found - wanted), sorted(wanted - found)), ([], []), "files that are not listed, and files that are missing")

    @testing.test
    def each_program_runs_from_there():
        for program in programs:
            testing.equal(f"Usage: {program}" in help_of(program), True, f"whether {program} --help says how it is used")
            version = said(os.path.join(prefix, "bin", program), "--version", env=environment)
            testing.equal(re.fullmatch(rf"{program} \d+\.\d+\.\d+\n", version) is not None, True, f"whether {version!r} is the version of {program}")

    @testing.test
    def the_sessions_entry_is_valid():
        entry = os.path.join(root, "vitrine.desktop")
        with open(entry, "w", encoding="utf-8") as file:  # without the key that login managers read, and no specification has
            file.write(re.sub("^DesktopNames=.*\n", "", read(os.path.join(prefix, "share/wayland-sessions/vitrine.desktop")), flags=re.MULTILINE))
        testing.equal(said("desktop-file-validate", entry), "", "what desktop-file-validate says")
        for key in ("Exec", "TryExec"):
            program = re.search(rf"^{key}=(.*)$", read(entry), re.MULTILINE).group(1)
            testing.equal(program in programs, True, f"whether {key}={program} is installed")

    @testing.test
    def units_are_valid():
        # The units name programs of the prefix, which systemd-analyze looks for; a copy names those that are there.
        folder = os.path.join(root, "units")
        os.makedirs(folder)
        for kind in ("user", "system"):
            installed = os.path.join(prefix, "lib/systemd", kind)
            for name in os.listdir(installed):
                copy = os.path.join(folder, name.replace("@.", "@someone."))
                with open(copy, "w", encoding="utf-8") as file:
                    file.write(read(os.path.join(installed, name)).replace(f"/{PREFIX}/bin", f"{prefix}/bin"))
                told = said("systemd-analyze", "--user", "--man=no", "--recursive-errors=no", "verify", copy,
                            env=environment | {"XDG_RUNTIME_DIR": root, "SYSTEMD_LOG_LEVEL": "warning"})
                testing.equal(told, "", f"what systemd-analyze says of {name}")

    @testing.test
    def manual_pages_are_formatted_without_a_warning():
        for folder, _, names in os.walk(os.path.join(prefix, "share/man")):
            for name in names:
                told = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", os.path.join(folder, name)], capture_output=True, text=True,
                                      timeout=SECONDS, check=True).stderr
                testing.equal(told, "", f"what groff says of {name}")

    @testing.test
    def each_program_has_a_page_with_every_option_and_command():
        missing = []
        for program in programs:
            text = read(page(f"{program}.1")).replace("\\-", "-").replace("\\&", "")
            shown = help_of(program)
            listed = set(re.findall(r"(?<!\S)(?:-\w,)?(--[a-z][a-z-]*)", "\n".join(line for line in shown.splitlines() if re.match(r"\s+-", line))))
            commands = re.search(r"^Subcommands:\n(.*?)(?:\n\n|\Z)", shown, re.MULTILINE | re.DOTALL)
            listed |= set(re.findall(r"^  ([a-z-]+) ", commands.group(1), re.MULTILINE)) if commands else set()
            missing += [f"{program} {word}" for word in sorted(listed) if word not in text]
        testing.equal(missing, [], "options and commands that are in no page")

    @testing.test
    def the_configurations_page_has_every_key_and_action():
        text = read(page("vitrine.toml.5")).replace("\\-", "-").replace("\\&", "")
        example = re.sub(r"\n# ([a-z_]+ +=|\[)", r"\n\1", read(os.path.join(prefix, "share/vitrine/vitrine.toml")))
        keys = set()
        for name, table in tomllib.loads(example).items():
            keys |= {name, *(key for key in table if re.fullmatch("[a-z_]+", key))}
        actions = re.findall(r"^([a-z-]+)", said(os.path.join(prefix, "bin/vitrine"), "--list-actions"), re.MULTILINE)
        testing.equal([word for word in sorted(keys | set(actions)) if word not in text], [], "keys and actions that are not in vitrine.toml(5)")

    @testing.test
    def bash_completes_options_commands_and_actions():
        script = os.path.join(prefix, "share/bash-completion/completions/vitrinectl")
        for line, word, wanted in (("vitrinectl", "--js", "--json"), ("vitrinectl", "wat", "watch"), ("vitrinectl action", "foc", "focus-next focus-previous"),
                                   ("vitrine", "--list-a", "--list-actions"), ("vitrine-display-test", "com", "compare")):
            words = [*line.split(), word]
            program = f'source "{script}"; compopt() {{ :; }}; COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _vitrine {words[0]}; echo "${{COMPREPLY[*]}}"'
            testing.equal(said("bash", "-c", program, env=environment).strip(), wanted, f"what `{line} {word}` becomes")

    testing.main(words)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
