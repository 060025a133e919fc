"""Videos: upright BGR frames with the source's own times in; silent H.264 without metadata out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np

from dmask.errors import Error
from dmask.io.cut_short import cut_short
from dmask.ranges import LARGEST_PX

# FFmpeg draws text files as pictures and reads pages of links: neither is a recording.
NOT_RECORDINGS = {"tty", "hls", "concat", "dash", "image2"}
NO_FRAMES = "the video holds no frames; expected at least one: record or copy it again"
REPAIR = (
    "expected it complete: copy it again, repair it (ffmpeg -i IN -c copy OUT), or take the frames before it "
    "breaks off with --partial"
)

JUMP_BACK_FRAMES = 1.5  # of the source's clock: more than a frame that comes twice

# A drawn picture has no noise to spend bits on, and no frame is harder than the others: one quantiser serves
# all of them, and the encoder need not look at each frame beforehand. `ultrafast` turns tools off; those that
# shrink a mask for little time are turned on again. `no-dct-decimate` keeps small motions, and with
# `zerolatency` no frames pile up in the encoder.
H264 = {
    "preset": "ultrafast",
    "qp": "17",
    "tune": "zerolatency",
    "x264-params": "cabac=1:no-deblock=0:subme=1:partitions=i4x4:scenecut=0:no-dct-decimate=1",
}

WHOLE = {"fflags": "+bitexact", "movflags": "+faststart"}
FRAGMENTS = {
    "fflags": "+bitexact",
    "movflags": "+empty_moov+default_base_moof",
    "frag_duration": "1000000",  # microseconds
    "flush_packets": "1",
}

# FFmpeg has two numbers for BT.601. A stream that names no colour space (2) is taken to be of that, too.
BT_601 = {2, 5, 6}
FULL_RANGE = 2


@contextmanager
def without_opencv_threads() -> Iterator[None]:
    """OpenCV's own threads wait for work in a busy loop, which takes the processor from the stages beside.

    Without them a frame's conversion takes 0.1 ms. The caller's setting is put back at the end.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


class Frame(NamedTuple):
    time_s: float
    bgr: np.ndarray  # (H, W, 3) uint8, upright


class VideoReader:
    """The frames of a video file in the order of presentation, turned upright, one at a time.

    Times are the source's own presentation times (variable frame rates are kept), from its first frame on: a
    clock may start anywhere, even at the time of day. Raises Error where the file is not a video, has no
    frames, or breaks off; with `partial` it ends where it breaks off, and `broken_off` says so.
    """

    width: int  # upright, square pixels
    height: int
    time_base: Fraction  # seconds a tick; every time is a multiple of it
    rate: Fraction  # average frames a second
    frame_count: int | None  # as the file declares it
    hfov_deg: float | None = None  # videos have no common tag for it
    notes: list[str]  # what was changed on the way in
    broken_off: str | None  # once read: where it ends before its end

    def __init__(self, path: Path, threads: int = 1, partial: bool = False):
        try:
            self._container = av.open(str(path))
        except av.error.EOFError:
            raise Error(NO_FRAMES) from None
        except (av.error.FFmpegError, OSError) as error:
            raise Error(
                f"this is not a video that can be read ({_reason(error)}); "
                "expected a video such as MP4, MOV, MKV, WebM or AVI, complete to its end"
            ) from None
        streams = [stream for stream in self._container.streams.video if not is_cover(stream)]
        if not streams or self._container.format.name in NOT_RECORDINGS:
            kinds = sorted({stream.type for stream in self._container.streams} - {"video"})
            covers = " with a picture for its cover" if self._container.streams.video and not streams else ""
            what = "text" if streams else " and ".join(kinds) or "nothing"
            self._container.close()
            raise Error(f"the file holds {what} only{covers}; expected a video of a face")
        self._stream = streams[0]
        self._stream.codec_context.thread_count = threads
        self.time_base = self._stream.time_base or Fraction(1, av.time_base)
        self.rate = self._stream.average_rate or self._stream.guessed_rate or Fraction(30)
        self.notes = []
        self.broken_off = None
        self._partial = partial
        self._cut_short = cut_short(path, self._container.format.name)
        self._matrix_known = False
        self._declared_end_s = self._end_s()
        start_s = (self._container.start_time or 0) / av.time_base
        self.frame_count = self._stream.frames or (
            max(1, round((self._declared_end_s - start_s) * self.rate)) if self._declared_end_s else None
        )
        self._frames = self._decode()
        self._first = next(self._frames, None)
        if self._first is None:
            self.close()
            raise Error(NO_FRAMES)
        self.height, self.width = self._first.bgr.shape[:2]

    def __iter__(self) -> Iterator[Frame]:
        if self._first is None:
            raise Error("a VideoReader gives its frames once; open the file again")
        first, self._first = self._first, None
        yield first
        del first
        count = 1
        for frame in self._frames:
            if frame.bgr.shape[:2] != (self.height, self.width):
                got = f"{frame.bgr.shape[1]}x{frame.bgr.shape[0]}"
                raise Error(
                    f"frame {count} is {got} pixels, those before {self.width}x{self.height}; "
                    "expected one size throughout: cut the video where it changes"
                )
            yield frame
            count += 1

    def close(self) -> None:
        self._frames.close()
        self._container.close()

    def _decode(self) -> Generator[Frame, None, None]:
        time_s = -float("inf")
        frame_s = 1 / float(self.rate)
        count = damaged = 0
        start: int | None = None  # ticks on the source's clock at 0 s of ours
        try:
            for frame in self._container.decode(self._stream):
                tick_s = float(self.time_base)
                at_s = count * frame_s
                if frame.pts is not None:
                    base = frame.time_base or self.time_base
                    if start is None:
                        start = frame.pts - round(at_s / base)
                        if start:
                            self._note(
                                "the source's clock does not start at 0: times count from the first frame"
                            )
                    at_s = float(frame.pts - start) * base.numerator / base.denominator
                    if at_s < time_s - JUMP_BACK_FRAMES * frame_s:
                        start -= round((time_s + frame_s - at_s) / base)
                        at_s = time_s + frame_s
                        self._note("the source's clock jumps back, as where files were joined: times go on")
                if at_s <= time_s:
                    at_s = time_s + tick_s
                    self._note("frames without a time of their own were put one tick after the frame before")
                time_s = at_s
                damaged += frame.is_corrupt
                yield Frame(time_s, self._upright(frame))
                count += 1
        except av.error.FFmpegError as error:
            where = f"after {count} frames ({max(time_s, 0):.2f} s)"
            declared = f" of {self.frame_count}" if self.frame_count else ""
            self._break_off(f"the video breaks off {where}{declared}: {_reason(error)}", count)
            return
        if damaged:
            self._note(f"the decoder found errors in {damaged} frames: the file is damaged")
        if self._cut_short:
            self._break_off(f"the video breaks off after {count} frames: {self._cut_short}", count)
            return
        start_s = float((start or 0) * self.time_base)
        missing_s = (self._declared_end_s or 0) - start_s - time_s
        if count and missing_s > max(0.5, 3 / float(self.rate)):
            sentence = f"the video breaks off at {time_s:.2f} s of a declared {time_s + missing_s:.2f} s"
            if len(self._container.streams) == 1:
                self._break_off(sentence, count)
            else:
                self._note(sentence)

    def _break_off(self, sentence: str, count: int) -> None:
        if not count:
            raise Error(f"{sentence}; expected it complete: copy it again") from None
        if not self._partial:
            raise Error(f"{sentence}; {REPAIR}") from None
        self.broken_off = sentence
        self._note(sentence)

    def _end_s(self) -> float | None:
        """When the last frame should end on the source's clock: as the track says, or the file, or None."""
        if self._stream.duration:
            ticks = (self._stream.start_time or 0) + self._stream.duration
            return float(ticks * self.time_base)
        if not self._container.duration:
            return None
        # A transport stream's length counts from its start, a Matroska's from 0.
        ts_discont: Any = av.format.Flags.ts_discont.value  # an int, whatever PyAV's stub says
        discontinuous = bool(self._container.format.flags & ts_discont)
        start = (self._container.start_time or 0) if discontinuous else 0
        return (start + self._container.duration) / av.time_base

    def _upright(self, frame: av.VideoFrame) -> np.ndarray:
        bgr = to_bgr(frame)
        aspect = self._stream.codec_context.sample_aspect_ratio
        if aspect and aspect != 1:
            width = max(1, round(bgr.shape[1] * aspect))
            self._note(f"pixels of {aspect.numerator}:{aspect.denominator} were made square")
            bgr = cv2.resize(bgr, (width, bgr.shape[0]), interpolation=cv2.INTER_AREA)
        # The matrix is asked for once: a frame whose side data was read refers to itself, and stays until
        # Python's collector runs, hundreds of megabytes later.
        if not self._matrix_known:
            self._matrix = _display_matrix(frame)
            self._matrix_known = True
        if self._matrix is None:
            return bgr
        a, b, _, c, d = self._matrix
        if abs(a) + abs(d) < abs(b) + abs(c):
            bgr, a, d = bgr.transpose(1, 0, 2), c, b
        return np.ascontiguousarray(bgr[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)


def holds_video(path: Path) -> bool:
    """Whether a file that is called like nothing in particular holds a video."""
    try:
        with av.open(str(path)) as container:
            streams = [stream for stream in container.streams.video if not is_cover(stream)]
            return bool(streams) and container.format.name not in NOT_RECORDINGS
    except (av.error.FFmpegError, OSError):
        return False


def is_cover(stream: av.VideoStream) -> bool:
    """Whether it is the one picture of an audio file's cover."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _display_matrix(frame: av.VideoFrame) -> np.ndarray | None:
    """a b u c d of x' = a x + c y, y' = b x + d y, which turns a frame upright; None where it stands so."""
    side_data: Any = frame.side_data  # PyAV's stub knows no more than motion vectors
    matrix = side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return None
    fixed_point: np.ndarray = np.frombuffer(bytes(matrix), "<i4")  # 16.16, row by row a b u / c d v / x y w
    return fixed_point[:5] / 65536.0


def to_bgr(frame: av.VideoFrame) -> np.ndarray:
    """The frame's pixels as (H, W, 3) uint8 BGR.

    OpenCV converts the usual format four times as fast as FFmpeg, and without darkening it by a grey level.
    """
    usual = frame.format.name == "yuv420p" and frame.color_range != FULL_RANGE and frame.colorspace in BT_601
    if usual and frame.width % 2 == frame.height % 2 == 0:
        return cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2BGR_I420)
    return frame.to_ndarray(format="bgr24")


class VideoWriter:
    """H.264 in MP4, yuv420p, no audio, no metadata but a mask's mark; frames carry the times they are given.

    An odd width or height is padded by one column or row (yuv420p needs even sizes): see `padded`. With
    `at_once` the file can be read up to the last second while it is written; `whole_video` tidies it up.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        time_base: Fraction,
        rate: Fraction,
        threads: int = 1,
        at_once: bool = False,
        mark: str = "",
    ):
        self.padded = (width % 2, height % 2)  # columns, rows
        self._size = f"{width}x{height}"
        self._container = av.open(str(path), "w", format="mp4", options=FRAGMENTS if at_once else WHOLE)
        if mark:
            self._container.metadata["comment"] = mark
        self._stream = self._container.add_stream("libx264", rate=rate, options=H264)
        self._stream.width = width + self.padded[0]
        self._stream.height = height + self.padded[1]
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = time_base
        self._stream.codec_context.colorspace = av.video.reformatter.Colorspace.ITU601
        self._stream.codec_context.color_range = av.video.reformatter.ColorRange.MPEG
        self._stream.codec_context.thread_count = threads
        self._time_base = time_base
        self._written = False

    def write(self, bgr: np.ndarray, time_s: float) -> None:
        """Append (H, W, 3) uint8 BGR, shown from `time_s` on."""
        columns, rows = self.padded
        if columns or rows:
            bgr = cv2.copyMakeBorder(bgr, 0, rows, 0, columns, cv2.BORDER_REPLICATE)
        # FFmpeg's own conversion rounds down and tints the grey background; OpenCV's is BT.601 and exact.
        yuv = np.asarray(cv2.cvtColor(np.ascontiguousarray(bgr), cv2.COLOR_BGR2YUV_I420), np.uint8)
        with self._sentence():
            # Not from_numpy_buffer: it shifts the colours where the height is no multiple of four.
            frame = av.VideoFrame.from_ndarray(yuv, format="yuv420p")
            frame.time_base = self._time_base
            frame.pts = round(time_s / self._time_base)
            self._container.mux(self._stream.encode(frame))
        self._written = True

    def close(self) -> None:
        with self._sentence():
            if self._written:  # else the encoder would be started only now, and fail once more
                self._container.mux(self._stream.encode())
            self._container.close()

    @contextmanager
    def _sentence(self) -> Iterator[None]:
        try:
            yield
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):  # of the disk
                raise
            raise Error(
                f"the encoder cannot make a video of {self._size} pixels ({_reason(error)}); expected 4 to "
                f"{LARGEST_PX} a side, and memory for it"
            ) from None


def whole_video(fragments: Path, target: Path) -> None:
    """The same frames as VideoWriter writes them at the end, without encoding them again."""
    with av.open(str(fragments)) as source, av.open(str(target), "w", format="mp4", options=WHOLE) as out:
        if "comment" in source.metadata:
            out.metadata["comment"] = source.metadata["comment"]
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
