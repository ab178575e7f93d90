"""What a run leaves behind: records, their drawings and their digest."""
