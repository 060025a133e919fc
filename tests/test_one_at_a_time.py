"""Objects of the core in several threads and in forked processes: a sentence, no crash and no wait."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import dmask
from dmask import _core
from dmask.environment import MODELS_DIR

YUNET = str(MODELS_DIR / "face_detection_yunet_2023mar.onnx")


@pytest.fixture(scope="module")
def pipeline(patient_frames):
    made = dmask.Pipeline(dmask.Options(backend="cpu", precision="f32"))
    made.process(patient_frames[0], 0.0)
    return made


def at_once(count, work):
    """What each of `count` threads got that did `work` at the same time: None, or its error."""
    got: list[BaseException | None] = [None] * count
    start = threading.Barrier(count)

    def one(number):
        start.wait()
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            got[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def assert_busy(errors):
    assert any(error is None for error in errors)
    for error in errors:
        assert error is None or (isinstance(error, dmask.Error) and "busy in another thread" in str(error))


def test_a_pipeline_in_use_by_another_thread_says_that_it_is_busy(pipeline, patient_frames):
    def work(number):
        for time_s in range(3):
            pipeline.process(patient_frames[number], float(time_s))

    errors = at_once(6, work)
    assert_busy(errors)
    assert any(errors)
    assert pipeline.process(patient_frames[0], 99.0).face_valid  # and it goes on working


def test_whatever_is_called_in_two_threads_one_of_them_is_told(pipeline, patient_frames):
    pipeline.reset()
    found = [pipeline.detect(frame, 0.1 * n) for n, frame in enumerate(patient_frames[:3])]
    pipeline.calibrate(found)
    result = pipeline.fit(found[0])
    calls = [
        lambda: pipeline.process(patient_frames[0], 0.0),
        lambda: pipeline.detect(patient_frames[0], 0.0),
        lambda: pipeline.calibrate(found),
        lambda: pipeline.fit(found[0]),
        lambda: pipeline.render(result),
        pipeline.reset,
        lambda: pipeline.calibration,
        lambda: pipeline.subject,
        pipeline.detect_timings,
        pipeline.fit_timings,
    ]

    def work(number):
        for _ in range(4):
            calls[number]()

    for error in at_once(len(calls), work):
        assert error is None or (isinstance(error, dmask.Error) and "busy" in str(error))


def test_detect_may_run_beside_calibrate_fit_and_render(pipeline, patient_frames):
    pipeline.reset()
    found = [pipeline.detect(frame, 0.1 * n) for n, frame in enumerate(patient_frames[:4])]

    def work(number):
        if number == 0:
            for n, frame in enumerate(patient_frames):
                pipeline.detect(frame, 1 + 0.1 * n)
                pipeline.detect_timings()
        else:
            pipeline.calibrate(found)
            for _ in range(4):
                pipeline.render(pipeline.fit(found[1]))
                pipeline.fit_timings()

    assert at_once(2, work) == [None, None]


def test_detector_and_renderer_say_that_they_are_busy(patient_frames):
    detector = _core.Detector(str(MODELS_DIR), face_detector_path=YUNET, precision="f32")
    assert_busy(at_once(4, lambda number: detector.detect(patient_frames[number], 0.0)))
    renderer = _core.Renderer()
    vertices = np.array([[-50, -50, 500], [50, -50, 500], [0, 50, 500]], np.float32)

    def draw(number):
        for _ in range(20):
            renderer.render_scene(
                vertices,
                np.array([[0, 2, 1]]),
                np.ones((3, 3)),
                focal_px=900,
                cx=300,
                cy=300,
                width=600,
                height=600,
            )

    assert_busy(at_once(4, draw))


def test_a_track_may_grow_while_another_thread_writes_it(tmp_path, pipeline, patient_frames):
    from fractions import Fraction

    track = _core.Track(64, 64, time_base=Fraction(1, 1000), rate=Fraction(30))
    row = pipeline.process(patient_frames[0], 1000.0).track_row
    subject = pipeline.subject
    track.add(row, 0.0)

    def work(number):
        for n in range(1, 300):
            if number == 0:
                track.add(row, float(n))
            else:
                track.write(tmp_path / "track.dmask", subject)

    assert at_once(2, work) == [None, None]
    assert len(_core.Track.read(tmp_path / "track.dmask")) > 0


def in_child(work):
    """What `work` said in a forked child: a sentence; fails where the child crashed or hung."""
    reading, writing = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: writing.send(work()))
    child.start()
    assert reading.poll(60), "the child hangs"
    said = reading.recv()
    child.join(20)
    assert child.exitcode == 0
    return said


def said_by(call):
    try:
        return f"no error: {call()}"
    except dmask.Error as error:
        return str(error)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_the_child_is_told_to_make_its_own(pipeline, patient_frames):
    detector = _core.Detector(str(MODELS_DIR), face_detector_path=YUNET, precision="f32")
    yunet = _core.YuNet(YUNET, precision="f32")
    for what, call in (
        ("Pipeline", lambda: pipeline.process(patient_frames[0], 0.0)),
        ("Pipeline", lambda: pipeline.detect(patient_frames[0], 0.0)),
        ("Pipeline", pipeline.reset),
        ("Detector", lambda: detector.detect(patient_frames[0], 0.0)),
        ("YuNet", lambda: yunet.detect(patient_frames[0])),
    ):
        said = in_child(lambda call=call: said_by(call))
        assert f"make the {what} in the child" in said and str(os.getpid()) in said


FORKED_IN_THE_MIDST = """
import os, sys, threading, time
import numpy as np, dmask
pipeline = dmask.Pipeline(dmask.Options(backend="cpu", precision="f32", threads=2))
frame = np.zeros((480, 640, 3), np.uint8)
pipeline.process(frame, 0.0)
threading.Thread(target=lambda: [pipeline.process(frame, float(n)) for n in range(200)], daemon=True).start()
time.sleep(0.05)
child = os.fork()
if child == 0:
    try:
        pipeline.process(frame, 1.0)
    except dmask.Error as error:
        said = "make the Pipeline in the child" in str(error)
        del pipeline  # nor does its end wait for threads that are not here
        os._exit(7 if said else 8)
    os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_fork_in_the_midst_of_a_call_neither_hangs_nor_crashes():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED_IN_THE_MIDST],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "7", done.stderr


IN_THE_CHILD = """
import multiprocessing, sys
import numpy as np, dmask

def work(size):
    pipeline = dmask.Pipeline(dmask.Options(backend="cpu", precision="f32"))
    return pipeline.process(np.zeros((size, size, 3), np.uint8), 0.0).mask.shape

if __name__ == "__main__":
    if "warm" in sys.argv:
        work(64)
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(pool.map_async(work, [64, 96]).get(60))
"""


@pytest.mark.parametrize("arguments", [["fork"], ["spawn", "warm"]])
def test_a_pipeline_that_a_child_makes_itself_works(tmp_path, arguments):
    script = tmp_path / "pool.py"
    script.write_text(IN_THE_CHILD)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "[(64, 64, 3), (96, 96, 3)]", done.stderr[-500:]


def test_a_child_of_a_process_whose_nets_have_run_is_told_how_to_be_started(tmp_path):
    script = tmp_path / "pool.py"
    script.write_text(IN_THE_CHILD)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), "fork", "warm"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "'spawn'" in done.stderr.splitlines()[-1] and "Pipeline" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((64, 64, 3), np.float32),
        np.zeros((64, 64, 3), np.float64),
        np.zeros((64, 64, 3), np.uint16),
        np.zeros((64, 64, 3), np.int8),
        np.zeros((64, 64, 3), bool),
        np.zeros((64, 64, 2), np.uint8),
        np.zeros(64, np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((8, 8, 3), np.uint8),
        np.broadcast_to(np.uint8(0), (100_000, 100_000, 3)),
        [[0, 0], [0, 0]],
        "frame.png",
        None,
    ],
    ids=lambda frame: str(getattr(frame, "dtype", frame)) + str(getattr(frame, "shape", "")),
)
def test_what_is_no_frame_of_bytes_is_an_error_and_never_converted(pipeline, frame):
    for call in (pipeline.process, pipeline.detect):
        with pytest.raises(dmask.Error, match="expected"):
            call(frame, 0.0)


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), -float("inf")])
def test_a_time_that_is_no_number_is_an_error(pipeline, time_s):
    frame = np.zeros((64, 64, 3), np.uint8)
    for call in (pipeline.process, pipeline.detect):
        with pytest.raises(dmask.Error, match="expected seconds"):
            call(frame, time_s)


@pytest.mark.parametrize(
    "options", [{"precision": "f8"}, {"threads": -1}, {"profile": "open"}, {"threads": 1e9}]
)
def test_an_option_that_is_none_is_an_error(options):
    with pytest.raises(dmask.Error, match="expected"):
        dmask.Options(**options)
