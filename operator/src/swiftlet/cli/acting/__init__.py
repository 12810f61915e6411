"""Commands that do: run, plan, delete, chat, and how they end."""
