#!/usr/bin/env python3
"""What clients say of their windows without a change on the screen, in the guest: modal dialogs and icons, as vitrinectl reports them."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import testing  # noqa: E402
import wayland  # noqa: E402
from hands import lit_session, names  # noqa: E402


def window_report(session, title):
    """What vitrinectl says of a window."""
    return next(window for window in session.windows() if window["title"] == title)


@testing.test
def a_dialog_is_modal_while_its_client_says_so():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        parent = wayland.Window(client, title="parent")
        dialog = wayland.Window(client, title="dialog", parent=parent)
        manager = client.bind("xdg_wm_dialog_v1")

        def modal(window="dialog"):
            client.roundtrip()
            return window_report(session, window)["modal"]

        hint = manager.get_xdg_dialog(dialog.toplevel)
        testing.equal(modal(), False, "whether it is modal at first")
        hint.set_modal()
        testing.equal(modal(), True, "whether it is modal after set_modal")
        hint.unset_modal()
        testing.equal(modal(), False, "whether it is modal after unset_modal")
        hint.set_modal()
        hint.destroy()
        testing.equal(modal(), False, "whether it is modal without its xdg_dialog_v1")
        alone = manager.get_xdg_dialog(parent.toplevel)
        again = manager.get_xdg_dialog(dialog.toplevel)
        manager.destroy()  # its objects stay
        alone.set_modal()
        again.set_modal()
        testing.equal((modal("parent"), modal()), (False, True), "whether the window without a parent and the dialog are modal")
        dialog.toplevel.destroy()
        again.unset_modal()  # does nothing
        again.destroy()
        client.roundtrip()


@testing.test
def a_second_dialog_object_for_a_window_is_refused():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window, manager = wayland.Window(client), client.bind("xdg_wm_dialog_v1")
        manager.get_xdg_dialog(window.toplevel).destroy()
        manager.get_xdg_dialog(window.toplevel)
        error = client.error_of(lambda: manager.get_xdg_dialog(window.toplevel))
        testing.equal(error, ("xdg_wm_dialog_v1", "already_used"), "error")


@testing.test
def a_window_has_the_icon_of_its_last_commit():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window = wayland.Window(client, title="window")
        manager = client.bind("xdg_toplevel_icon_manager_v1")
        testing.equal(client.expect(manager, "done") and names(manager), [], "further events of the manager")
        buffer = client.buffer(16, 16, (0, 0, 0xC8))

        def icon():
            client.roundtrip()
            return window_report(session, "window")["icon"]

        named = manager.create_icon()
        named.set_name("video-x-generic")
        named.add_buffer(buffer, 1)
        named.add_buffer(buffer, 2)
        manager.set_icon(window.toplevel, named)
        testing.equal(icon(), None, "icon before the commit")
        window.surface.commit()
        testing.equal(icon(), "video-x-generic", "icon after it")
        named.destroy()
        buffer.destroy()
        testing.equal(icon(), "video-x-generic", "icon without its object")
        manager.set_icon(window.toplevel, None)
        testing.equal(icon(), "video-x-generic", "icon before the reset is committed")
        manager.destroy()
        window.surface.commit()
        testing.equal(icon(), None, "icon after the reset")


@testing.test
def a_wrong_icon_is_refused():
    def set_first(client, icons, icon):
        icons.set_icon(wayland.Window(client).toplevel, icon)
        return icon

    def destroy_buffer(client, icon):
        buffer = client.buffer(16, 16, (0, 0, 0))
        icon.add_buffer(buffer, 1)
        buffer.destroy()

    def single_pixel(client):
        return client.bind("wp_single_pixel_buffer_manager_v1").create_u32_rgba_buffer(0, 0, 0, 0)

    attempts = {
        "set_name after set_icon": ("immutable", lambda client, icons, icon: set_first(client, icons, icon).set_name("late")),
        "add_buffer after set_icon": ("immutable", lambda client, icons, icon:
                                      set_first(client, icons, icon).add_buffer(client.buffer(16, 16, (0, 0, 0)), 1)),
        "a buffer that is destroyed first": ("no_buffer", lambda client, icons, icon: destroy_buffer(client, icon)),
        "a buffer that is not of wl_shm": ("invalid_buffer", lambda client, icons, icon: icon.add_buffer(single_pixel(client), 1)),
        "an oblong buffer": ("invalid_buffer", lambda client, icons, icon: icon.add_buffer(client.buffer(16, 15, (0, 0, 0)), 1)),
    }
    with lit_session() as session:
        for what, (error, attempt) in attempts.items():
            client = wayland.Client(session.environment)
            icons = client.bind("xdg_toplevel_icon_manager_v1")
            icon = icons.create_icon()
            got = client.error_of(lambda attempt=attempt, client=client, icons=icons, icon=icon: attempt(client, icons, icon))
            testing.equal(got, ("xdg_toplevel_icon_v1", error), f"error of {what}")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
