"""What the test pattern has to look like on a panel: computed from its definition (tests/clients/test_pattern.h) in double precision,
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


def to_rgb(luma, chroma, encoding="bt709", limited=True):
    """ITU-R BT.601/709/2020 non-constant luminance to R'G'B' in 0..255, not rounded; each chroma sample serves its 2 x 2 pixels."""
    kr, kb = KR_KB[encoding]
    kg = 1 - kr - kb
    luma_offset, luma_scale, chroma_scale = (16, 219, 224) if limited else (0, 255, 255)
    y = (luma - luma_offset) / luma_scale
    cb, cr = (np.repeat(np.repeat((chroma[:, :, i] - 128) / chroma_scale, 2, axis=0), 2, axis=1) for i in (0, 1))
    red = y + 2 * (1 - kr) * cr
    blue = y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / kg
    return np.clip(np.stack([red, green, blue], axis=2), 0, 1) * 255


def picture(width, height, frame, encoding="bt709", limited=True):
    return to_rgb(*test_pattern(width, height, frame, limited), encoding, limited)


def largest_difference(shown, width, height, frame, **how):
    """Largest distance of any channel of any pixel from the reference."""
    return float(np.abs(shown.astype(float) - picture(width, height, frame, **how)).max())
