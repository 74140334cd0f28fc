# Completion of one of Vitrine's programs for fish; the file is installed once for each, named after it.
# Options, commands and actions are those that the programs list themselves.
set -l program (basename (status filename) .fish)
complete -c $program -f -n __fish_use_subcommand -a "($program --help 2>/dev/null | sed -n '/^Subcommands:/,/^\$/s/^  *\([a-z-]*\) .*/\1/p')"
complete -c $program -n 'string match -q -- "-*" (commandline -ct)' -a "($program --help 2>/dev/null | sed -n '/^ *-/p' | grep -oE -e '--[a-z][a-z-]*' | sort -u)"
complete -c $program -F
if test $program = vitrinectl
    complete -c $program -f -n '__fish_seen_subcommand_from action' -a "(vitrine --list-actions 2>/dev/null | sed -n 's/^\([a-z-]*\).*/\1/p')"
end
