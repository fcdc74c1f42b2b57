"""What a person sees and presses: thin panels and operators, by what they are about."""
