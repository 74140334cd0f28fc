"""The expected picture of the test pattern on a panel, computed from its definition (tests/board/clip/test_pattern.h) in double precision,
by code that shares nothing with the renderer, the kernel or the packer."""

import numpy as np

from frame_bar import BAR_ROWS, CELLS, frame_bar_cells

BARS = [(180, 128, 128), (168, 44, 136), (145, 147, 44), (133, 63, 52), (63, 193, 204), (51, 109, 212), (28, 212, 120), (16, 128, 128)]
KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}


def test_pattern(width, height, frame, limited=True):
    """Luma (height x width) and chroma (height/2 x width/2 x 2) of a frame."""
    low, high, chroma_low, chroma_high = (16, 235, 16, 240) if limited else (0, 255, 0, 255)
    luma = np.zeros((height, width), np.int64)
    chroma = np.full((height // 2, width // 2, 2), 128, np.int64)
    x = np.arange(width)
    cx = np.arange(width // 2)
    band = (height - BAR_ROWS) // 3 // 2 * 2
    bars, gradient, box = BAR_ROWS, BAR_ROWS + band, BAR_ROWS + 2 * band

    cells = np.array(frame_bar_cells(frame))
    luma[:bars] = np.where(cells[CELLS * x // width], high, low)

    table = np.array(BARS)
    luma[bars:gradient] = table[8 * ((x + 2 * frame) % width) // width, 0]
    chroma[bars // 2 : gradient // 2] = table[8 * ((2 * cx + 2 * frame) % width) // width][:, 1:]

    luma[gradient:box] = low + ((x + frame) % width) * (high - low) // (width - 1)
    rows = np.arange(band // 2)
    chroma[gradient // 2 : box // 2, :, 0] = chroma_low + cx * (chroma_high - chroma_low) // (width // 2 - 1)
    chroma[gradient // 2 : box // 2, :, 1] = (chroma_high - rows * (chroma_high - chroma_low) // (band // 2 - 1))[:, None]

    box_width = width // 8 // 2 * 2
    left = (4 * frame) % (width - box_width)
    luma[box:] = low + (3 * frame) % (high - low + 1)
    luma[box:, left : left + box_width] = high
    chroma[box // 2 :, left // 2 : (left + box_width) // 2] = (chroma_high, chroma_low)
    return luma, chroma


# How chroma becomes as large as luma. A plane of vkms has each sample for its 2 x 2 pixels. The renderer interpolates between the places
# where samples were taken: at the left pixel, and in the middle of both rows.
PLANE, COMPOSED = "plane", "composited"
CHROMA = (PLANE, COMPOSED)


def full_chroma(chroma, way):
    """Chroma (height/2 x width/2) for each pixel."""
    if way == PLANE:
        return np.repeat(np.repeat(chroma, 2, axis=0), 2, axis=1)
    height, width = chroma.shape
    column = np.clip(np.arange(2 * width) / 2, 0, width - 1)
    row = np.clip((np.arange(2 * height) - 0.5) / 2, 0, height - 1)
    left, upper = column.astype(int), row.astype(int)
    right, lower = np.minimum(left + 1, width - 1), np.minimum(upper + 1, height - 1)
    across, down = column - left, (row - upper)[:, None]
    rows = chroma[:, left] * (1 - across) + chroma[:, right] * across
    return rows[upper] * (1 - down) + rows[lower] * down


def to_rgb(luma, chroma, encoding="bt709", limited=True, way=PLANE):
    """ITU-R BT.601/709/2020 non-constant luminance to R'G'B', not rounded. Values outside 0..255 are kept, because a video is filtered
    first and clipped last."""
    kr, kb = KR_KB[encoding]
    kg = 1 - kr - kb
    luma_offset, luma_scale, chroma_scale = (16, 219, 224) if limited else (0, 255, 255)
    y = (luma - luma_offset) / luma_scale
    cb, cr = (full_chroma((chroma[:, :, i] - 128) / chroma_scale, way) for i in (0, 1))
    red = y + 2 * (1 - kr) * cr
    blue = y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / kg
    return np.stack([red, green, blue], axis=2) * 255


def unlimited_picture(width, height, frame, encoding="bt709", limited=True, way=PLANE):
    """The picture before filtering and clipping. The conversion is affine, so it may come before the filter."""
    return to_rgb(*test_pattern(width, height, frame, limited), encoding, limited, way)


def picture(width, height, frame, encoding="bt709", limited=True, way=PLANE):
    """The picture, clipped to 0..255."""
    return np.clip(unlimited_picture(width, height, frame, encoding, limited, way), 0, 255)


def largest_difference(shown, width, height, frame, way=None, where=np.s_[:], **how):
    """The largest difference of any channel of any pixel (`where`: of these) from the reference. `way`: how the video is shown; without,
    the nearer one."""
    ways = CHROMA if way is None else (way,)
    return min(float(np.abs(shown.astype(float) - picture(width, height, frame, way=way, **how))[where].max()) for way in ways)


# The compositor's operations on a picture (height x width x 3, 0..255), written from the protocols' text and from textbooks.


def turned_back(shown, transform):
    """Undoes the `wl_output.transform` of a picture's content. By the protocol, the content was first flipped around a vertical axis (if
    the name says so), then rotated counter-clockwise. So this rotates clockwise, then flips."""
    quarters = {"": 0, "normal": 0, "90": 1, "180": 2, "270": 3}[transform.removeprefix("flipped").removeprefix("-")]
    upright = np.rot90(shown, -quarters)
    return upright[:, ::-1] if transform.startswith("flipped") else upright


def turned(seen, transform):
    """The inverse: the buffer whose content looks like this."""
    quarters = {"": 0, "normal": 0, "90": 1, "180": 2, "270": 3}[transform.removeprefix("flipped").removeprefix("-")]
    mirrored = seen[:, ::-1] if transform.startswith("flipped") else seen
    return np.rot90(mirrored, quarters)


def scaled(source, width, height):
    """Bilinear filtering: a pixel's value is at its centre. Beyond the outermost centres, edges repeat."""

    def taps(target, size):
        at = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
        first = np.minimum(at.astype(int), size - 2)
        return first, at - first

    row, down = taps(height, source.shape[0])
    column, right = taps(width, source.shape[1])
    down, right = down[:, None, None], right[None, :, None]
    upper = source[row][:, column] * (1 - right) + source[row][:, column + 1] * right
    lower = source[row + 1][:, column] * (1 - right) + source[row + 1][:, column + 1] * right
    return np.clip(upper * (1 - down) + lower * down, 0, 255)


def covered(below, premultiplied, alpha):
    """Porter-Duff "over" in the encoded space, on the right half. Colour in 0..255, premultiplied with alpha in 0..1."""
    result = np.array(below, dtype=float)
    right_half = result[:, result.shape[1] // 2 :]
    right_half[:] = np.array(premultiplied, dtype=float) + (1 - alpha) * right_half
    return result


def psnr(shown, wanted):
    """Peak signal to noise ratio in dB."""
    error = np.mean((np.asarray(shown, dtype=float) - wanted) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
