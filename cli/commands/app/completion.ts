import { defineCommand } from '../../command.js';
import { completionScript, type Shell } from '../../completion.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const command = defineCommand({
  description: 'The script completes commands, options and their values.',
  arguments: [{ name: 'shell', help: 'whose script is printed', choices: SHELLS }],
  examples: {
    'completion bash > ~/.local/share/bash-completion/completions/clutch': 'for Bash',
    'completion zsh > "${fpath[1]}/_clutch"': 'for Zsh',
    'completion fish > ~/.config/fish/completions/clutch.fish': 'for Fish',
  },
  run: async ({ args: [shell], commands }) => {
    console.log(await completionScript(shell as Shell, commands));
  },
});
