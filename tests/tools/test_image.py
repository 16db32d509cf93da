# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead image: what it refuses, and what is on the partition afterwards. ./bulkhead run asks the
same questions."""

import os
import pathlib
import resource
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import boot, check, cli, devices, image, partition, run  # noqa: E402

HELLO = "build/examples/hello-dma.elf"
CONFIG, PAYLOAD, ARCHIVE, LOADER = "bulkhead/bulkhead.conf", "bulkhead/payload.elf", "bulkhead/archive.cpio", "EFI/bulkhead/bulkhead.efi"


@pytest.fixture(scope="module")
def hello():
    cli.build("kernel", "efi", check.PROGRAM, HELLO)
    return cli.built(HELLO)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with what users give, which is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.c").write_text("int main(void) { return 0; }\n" * 9)
    (tmp_path / "empty.elf").write_bytes(b"")
    for name, text in (("devise", "devise = 1\n"), ("large", "#" * 65537), ("queue", "invalidation-queue = 300\n"),
                       ("open", "\narg = \"x"), ("twice", "device = 00:10.0\n")):
        (tmp_path / f"{name}.conf").write_text(text)
    for name, member in (("taken", "payload.elf"), ("config", "bulkhead.conf"), ("fine", "note")):
        (tmp_path / name).mkdir()
        (tmp_path / name / member).write_text("")
    return tmp_path


KERNEL = "the machine would refuse this: "
# What both commands refuse, and with what words.
REFUSED = {
    "dynamic": (["/bin/ls"], KERNEL + "the payload cannot be loaded: it needs a dynamic linker; link it statically"),
    "source": (["x.c"], KERNEL + "the payload cannot be loaded: it is not an ELF file"),
    "empty": (["./empty.elf"], "the payload ./empty.elf is empty"),
    "missing": (["./nowhere.elf"], "no such payload: ./nowhere.elf"),
    "unknown key": (["--config", "devise.conf", "hello-dma"],
                    KERNEL + "bulkhead.conf:1: unknown key 'devise', the nearest known key is 'device'"),
    "large": (["--config", "large.conf", "hello-dma"], KERNEL + "bulkhead.conf is larger than 65536 bytes"),
    "power": (["--config", "queue.conf", "hello-dma"],
              KERNEL + "the IOMMU invalidation queue must have 256 to 32768 entries, a power of two"),
    "quote": (["--config", "open.conf", "hello-dma"], KERNEL + "bulkhead.conf:2: arg: a double quote is not closed"),
    "no config": (["--config", "nowhere.conf", "hello-dma"], "cannot read nowhere.conf: "),
    "no files": (["--files", "nowhere", "hello-dma"], "--files nowhere is not a folder"),
    "payload among files": (["--files", "taken", "hello-dma"], "holds a payload.elf, which"),
    "configuration among files": (["--files", "config", "hello-dma"], "holds a bulkhead.conf, which"),
    "option": (["--device", "edu,kernel.uio=maybe", "hello-dma"], "device: uio: must be no or yes"),
    "option behind a blank": (["--device", "edu speed=high", "hello-dma"], "device: unknown option 'speed', the nearest known option is "),
}
# What is wrong for an image alone, whose devices are those of any machine.
REFUSED_BY_IMAGE = {
    "no class": (["--device", "class:01080", "hello-dma"], KERNEL + "bulkhead.conf:2: device: must be BB:DD.F, "),
    "no number": (["--device", "1234:11e8#0", "hello-dma"], KERNEL + "bulkhead.conf:2: device: must be BB:DD.F, "),
    "no selector": (["--device", "zz", "hello-dma"], KERNEL + "bulkhead.conf:2: device: must be BB:DD.F, SSSS:BB:DD.F, "),
    "comma": (["--device", "00:10.0,uio=yes", "hello-dma"], "'uio=yes' would be for QEMU"),
    "twice": (["--config", "twice.conf", "--device", "00:10.0", "hello-dma"], KERNEL + "bulkhead.conf:2: device: this device is "),
    "not a file": (["hello-dma", "-o", "/dev/null"], "/dev/null is not a file"),
}


@pytest.mark.parametrize("name", [*REFUSED, *REFUSED_BY_IMAGE])
def test_image_refuses(hello, files, name):
    words, sentence = {**REFUSED, **REFUSED_BY_IMAGE}[name]
    before = sorted(files.rglob("*"))
    with pytest.raises(cli.Failure) as failure:
        image.main([*(() if "-o" in words else ("-o", "disk.img")), *words])
    assert sentence in str(failure.value)
    assert sorted(files.rglob("*")) == before


@pytest.mark.parametrize("name", REFUSED)
def test_run_refuses(hello, files, monkeypatch, name):
    """Before there is a machine."""
    monkeypatch.setattr(run, "run_qemu", lambda *_: pytest.fail("QEMU was started"))
    words, sentence = REFUSED[name]
    with pytest.raises(cli.Failure) as failure:
        run.main(words)
    assert sentence in str(failure.value)


@pytest.mark.parametrize("spec, selector", [
    ("edu", "1234:11e8"), ("nvme uio=yes", "1b36:0010 uio=yes"), ("edu,kernel.uio=yes,kernel.dma-memory=yes", "1234:11e8 uio=yes dma-memory=yes"),
    ("01:00.0", "01:00.0"), ("class:0108#2 uio=yes", "class:0108#2 uio=yes"), ("1234:11e8#2", "1234:11e8#2"), ("00:1c.0/00.0 afu=dfl", "00:1c.0/00.0 afu=dfl"), ("01:00.0,kernel.afu=dfl dfl-bar=2", "01:00.0 afu=dfl dfl-bar=2")])
def test_devices_of_an_image(hello, tmp_path, spec, selector):
    """The kernel's parser takes each, from a file and from the command line."""
    assert devices.selector_for_any_machine(spec) == selector
    for settings, config in (([("device", selector)], ""), ([], boot.config_lines([("device", selector)]))):
        check.ask(boot.Boot(hello, settings, config, None, None))


@pytest.mark.parametrize("spec, selector", [
    ("edu uio=yes", "0000:00:10.0 uio=yes"), ("edu,addr=0x11,kernel.uio=yes afu=edu", "0000:00:11.0 uio=yes afu=edu")])
def test_device_options_of_a_run(tmp_path, spec, selector):
    assert devices.assign(spec, 0, [], tmp_path).selector == selector


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_settings_of_an_image(hello, files):
    """A file to edit is always there; the name is the one that `run` gives."""
    assert image.main(["--dir", "esp", "hello-dma"]) == 0
    text = (files / "esp" / CONFIG).read_text()
    assert text == image.EMPTY_CONFIG + 'device = 1234:11e8\npayload-name = "hello-dma"\n'
    options, args = run.parse(["hello-dma"])
    assert ("payload-name", "hello-dma") in run.describe(options, args).settings
    (files / "mine.conf").write_text("payload-name = mine")
    assert image.main(["--dir", "esp", "--config", "mine.conf", str(hello), "--", "x"]) == 0
    assert (files / "esp" / CONFIG).read_text() == 'payload-name = mine\narg = "x"\n'


def test_the_folder_holds_what_was_asked_for_last(hello, files):
    """Nothing of an earlier image stays, and nothing of anybody else goes."""
    image.main(["--dir", "esp", "--device", "edu", "--files", "fine", "hello-dma", "--", "x"])
    assert ARCHIVE in contents(files / "esp") and PAYLOAD not in contents(files / "esp")
    others = {"EFI/BOOT/BOOTX64.EFI": b"another loader", "bulkhead/notes.txt": b"the user's", "EFI/bulkhead/shim.efi": b"shim"}
    for name, content in {**others, "bulkhead/options": b"device=00:10.0"}.items():
        (files / "esp" / name).parent.mkdir(exist_ok=True)
        (files / "esp" / name).write_bytes(content)
    image.main(["--dir", "esp", str(hello)])
    after = contents(files / "esp")
    assert after.keys() == {*others, CONFIG, PAYLOAD, "bulkhead/kernel.elf", LOADER}
    assert {name: after[name] for name in others} == others
    assert b"device" not in after[CONFIG] and b"arg" not in after[CONFIG]


def full(*words, size):
    """./bulkhead WORDS, where no file may become larger than `size`: as with a full disk."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return subprocess.run([TOP / "bulkhead", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=limit,
                          check=False)


@pytest.mark.parametrize("target", [("--dir", "esp"), ("-o", "disk.img")])
def test_a_write_that_fails_leaves_what_was_there(hello, files, target):
    assert image.main([*target, "--files", "fine", "hello-dma"]) == 0
    before = contents(files)
    done = full("image", *target, "hello-dma", size=1 << 20)
    assert done.returncode == 1 and "cannot write the image" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert contents(files) == before


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_an_end_between_two_renames(hello, files, renamed):
    """The next image finds its way, wherever the last one was ended."""
    image.main(["--dir", "esp", "hello-dma"])
    (files / "esp/bulkhead/notes.txt").write_text("the user's")
    expected = contents(files / "esp")
    steps = [lambda: (files / "esp/bulkhead").rename(files / "esp" / partition.OLD),
             lambda: (files / "esp" / partition.BESIDE / "bulkhead").rename(files / "esp/bulkhead")]
    (files / "esp" / partition.BESIDE / "bulkhead").mkdir(parents=True)
    for step in steps[:renamed]:
        step()
    image.main(["--dir", "esp", "hello-dma"])
    assert contents(files / "esp") == expected
