"""One window with COUNT surfaces that never change, under or beside one that changes with each frame.

    many_surfaces.py COUNT beside|under

beside: the surfaces are opaque, and lie beside each other and beside the one that changes. under: they are translucent, and lie on each other under
the one that changes, which is opaque. Prints a line `N: presented` for each frame that it was told of.
"""

import argparse
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../session"))

import wayland  # noqa: E402

EDGE = 16  # pixels: of each surface that does not change
CHANGING = 200
COLUMNS = 40


def pixels(client, edge, opaque, colour):
    buffer = client.buffer(edge, edge, colour)
    if opaque:
        return buffer
    size = edge * edge * 4
    fd = os.memfd_create("translucent")
    os.write(fd, bytes((40, 40, 40, 128)) * (edge * edge))
    pool = client.bind("wl_shm").create_pool(fd, size)
    os.close(fd)
    return pool.create_buffer(0, edge, edge, edge * 4, "argb8888")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", metavar="COUNT", type=int)
    parser.add_argument("place", choices=("beside", "under"))
    asked = parser.parse_args()
    count, stacked = asked.count, asked.place == "under"
    client = wayland.Client()
    window = wayland.Window(client, size=(COLUMNS * EDGE, 480))
    compositor, subcompositor = client.bind("wl_compositor"), client.bind("wl_subcompositor")

    def child(x, y):
        surface = compositor.create_surface()
        subsurface = subcompositor.get_subsurface(surface, window.surface)
        subsurface.set_position(x, y)
        subsurface.set_desync()
        return surface

    edge = CHANGING if stacked else EDGE
    still = pixels(client, edge, not stacked, (90, 90, 90))
    for number in range(count):
        column, row = number % COLUMNS, number // COLUMNS
        surface = child(0, 0) if stacked else child(column * EDGE, 5 + row * EDGE)
        surface.attach(still, 0, 0)
        surface.damage(0, 0, edge, edge)
        surface.commit()
        if number % 50 == 0:
            client.roundtrip()
    changing = child(0, 0) if stacked else child(0, 270)
    buffers = [client.buffer(CHANGING, CHANGING, (shade, 0, 0)) for shade in (80, 120)]
    window.surface.commit()
    number = 0
    while True:
        changing.attach(buffers[number % 2], 0, 0)
        changing.damage(0, 0, CHANGING, CHANGING)
        callback = changing.frame()
        changing.commit()
        client.expect(callback, "done")
        number += 1
        print(f"{number}: presented", flush=True)


if __name__ == "__main__":
    main()
