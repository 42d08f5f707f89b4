# test: needs tmux
# Tmux: a server, sessions, windows, panes, keys sent and screens captured.
export TMUX_TMPDIR=$PWD; unset TMUX; t() { tmux -f /dev/null -L test "$@"; }
t new-session -d -s one -n main -x 80 -y 24 'PS1="> " sh'; t has-session -t one && echo session
until_shown() { for _ in $(seq 1000); do t capture-pane -p -t "$1" | grep -q "$2" && return; sleep 0.1; done; echo "never shown: $2"; t capture-pane -p -t "$1"; }
until_runs() { for _ in $(seq 1000); do [ "$(t display -p -t "$1" '#{pane_current_command}')" = "$2" ] && return; sleep 0.1; done; echo "never runs: $2"; }
until_shown one '^>'; t send-keys -t one 'echo typed $((6 * 7)); stty size' Enter; until_shown one '^24 80'; t capture-pane -p -t one | grep -E '^typed|^24'
t split-window -h -t one 'PS1="% " sh'; until_shown one.1 '^%'; t send-keys -t one.1 'stty size; tty | cut -c1-9' Enter; until_shown one.1 '^/dev/pts'; t capture-pane -p -t one.1 | grep -E '^24|^/dev'
t new-window -t one -n two 'sleep 1000'; t list-windows -t one -F '#{window_index} #{window_name} #{window_panes}'
t select-window -t one:0; t resize-window -t one:0 -x 100 -y 30; until t capture-pane -p -t one:0.0 | grep -q '^30 '; do t send-keys -t one:0.0 'stty size' Enter; sleep 0.3; done; t capture-pane -p -t one:0.0 | grep '^30 ' | uniq
t send-keys -t one:0.0 'sleep 100' Enter; until_runs one:0.0 sleep; t send-keys -t one:0.0 C-c; until_runs one:0.0 sh; t send-keys -t one:0.0 'echo status $?' Enter; until_shown one:0.0 '^status 130'; echo interrupted
t set-buffer pasted; t show-buffer; echo; t kill-window -t one:two; t list-windows -t one | wc -l; t kill-server; while t has-session 2>/dev/null; do sleep 0.1; done; t has-session 2>/dev/null; echo $?
