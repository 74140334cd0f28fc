# Completion of Vitrine's programs for bash. Options, commands and actions are those that the programs list themselves.
_vitrine() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words
  COMPREPLY=()
  case $previous in
  -c | --config | -s | --socket | --status | --heaps | --key | -o | --output | --json | --csv)
    if [[ $word != -* ]]; then
      compopt -o default
      return
    fi
    ;;
  action)
    [[ $1 == *vitrinectl ]] && COMPREPLY=($(compgen -W "$(vitrine --list-actions 2>/dev/null | sed -n 's/^\([a-z-]*\).*/\1/p')" -- "$word"))
    return
    ;;
  esac
  if [[ $word == -* ]]; then
    words=$("$1" --help 2>/dev/null | sed -n '/^ *-/p' | grep -oE -e '--[a-z][a-z-]*' | sort -u)
  else
    words=$("$1" --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  *\([a-z-]*\) .*/\1/p')
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default
}
complete -F _vitrine vitrine vitrinectl vitrine-probe vitrine-play vitrine-pack vitrine-display-test vitrine-plane-bench vitrine-session
