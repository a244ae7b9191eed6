"""Files that are whole at any moment: lines that are added, and files that are replaced."""
import json, os, time


def now():
    return time.strftime("%Y-%m-%d %H:%M:%S")


def content(path, most=-1):
    """The bytes of a file, none when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except OSError:
        return b""


def append(path, record, durable=True):
    """Add one whole line, or leave the file as it was. What is durable is on the disk when this comes back."""
    with open(path, "a+b", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        torn = end > 0 and os.pread(file.fileno(), 1, end - 1) != b"\n"
        line = b"\n" * torn + json.dumps(record).encode() + b"\n"
        try:
            if file.write(line) < len(line):
                raise OSError(28, os.strerror(28))
            if durable:
                os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def replace(path, value):
    """Put a whole new file in the place of an old one."""
    with open(f"{path}.tmp", "w") as file:
        json.dump(value, file, indent=2, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.tmp", path)
