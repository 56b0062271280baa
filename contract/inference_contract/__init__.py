"""All that crosses a process, named once: standard library only, imported by functions and worker alike."""
