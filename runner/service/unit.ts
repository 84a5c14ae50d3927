/** What a service of systemd is made of. */
export type Service = {
  /** Program and arguments; paths are absolute. */
  words: readonly string[]
  directory: string
}

/**
 * The unit file of a server that its user's systemd starts. It holds no secret: tokens stand in files that the arguments name. The
 * server needs ten seconds at most to stop, and a crash is no reason to stay away.
 */
export function renderUnit({ words, directory }: Service): string {
  return `[Unit]
Description=Headrace control plane
After=network-online.target

[Service]
Type=exec
ExecStart=${words.map(quoted).join(' ')}
WorkingDirectory=${escaped(directory)}
Restart=on-failure
RestartSec=2
KillSignal=SIGTERM
TimeoutStopSec=15
UMask=0077
NoNewPrivileges=yes
LimitNOFILE=65536

[Install]
WantedBy=default.target
`
}

/** One word of a command line, whatever stands in it: systemd would read signs of its own, and blanks, in a bare one. */
const quoted = (word: string): string => `"${escaped(word).replace(/["\\]/g, '\\$&').replaceAll('$', '$$$$')}"`

/** Everywhere in a unit a percent sign begins something. */
const escaped = (text: string): string => text.replaceAll('%', '%%')
