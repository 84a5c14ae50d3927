/**
 * What each shell loads: a few lines that ask `runner completions words` what may come next. It answers with lines of a word, a tab and
 * what it means; `:files` and `:directories` leave the rest to the shell.
 */
export const SCRIPTS = {
  bash: `# Completion of runner for bash: put into ~/.bashrc: eval "$(runner completions bash)"
_runner_complete() {
  local current="\${COMP_WORDS[COMP_CWORD]}" value _about
  COMPREPLY=()
  while IFS=$'\\t' read -r value _about; do
    case "$value" in
      :files) _runner_paths -f "$current" ;;
      :directories) _runner_paths -d "$current" ;;
      *)
        printf -v value %q "$value"
        COMPREPLY+=("$value")
        ;;
    esac
  done < <("\${COMP_WORDS[0]}" completions words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
_runner_paths() {
  local path
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$1" -- "$2")
}
complete -F _runner_complete runner headrace
`,
  zsh: `#compdef runner headrace
# Completion of runner for zsh: put into ~/.zshrc, after compinit: eval "$(runner completions zsh)"
_runner() {
  local value about
  local -a described
  while IFS=$'\\t' read -r value about; do
    case "$value" in
      :files) _files ;;
      :directories) _files -/ ;;
      *) described+=("\${value//:/\\\\:}:$about") ;;
    esac
  done < <("\${words[1]}" completions words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#described} )) && _describe runner described
}
compdef _runner runner headrace
`,
  fish: `# Completion of runner for fish: runner completions fish > ~/.config/fish/completions/runner.fish
function __runner_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    $before[1] completions words -- $before[2..-1] "$current" 2>/dev/null | while read -l line
        switch $line
            case ':files*'
                __fish_complete_path "$current"
            case ':directories*'
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c runner -f -a '(__runner_complete)'
complete -c headrace -f -a '(__runner_complete)'
`,
} as const

export type Shell = keyof typeof SCRIPTS
