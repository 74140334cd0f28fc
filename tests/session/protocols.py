#!/usr/bin/env python3
"""What the compositor offers besides windows and buffers, in the guest: each protocol by a client that speaks it (wayland.py)."""

import contextlib
import os
import socket
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../platform/selftest"))

import session as s  # noqa: E402
import testing  # noqa: E402
import wayland  # noqa: E402
from hands import Hands, Listener, give_gamma, lit_session, names, pointed_window  # noqa: E402

# What a sandboxed client must not see, also when more is added: it reads, controls or imitates what is not its own.
PRIVILEGED = {
    "wp_security_context_manager_v1", "zwlr_screencopy_manager_v1", "ext_idle_notifier_v1", "zwp_virtual_keyboard_manager_v1",
    "zwlr_virtual_pointer_manager_v1", "zwp_input_method_manager_v2", "zwlr_foreign_toplevel_manager_v1", "ext_foreign_toplevel_list_v1",
    "zwlr_data_control_manager_v1", "zwp_keyboard_shortcuts_inhibit_manager_v1", "zwlr_layer_shell_v1", "ext_session_lock_manager_v1",
    "zwlr_output_manager_v1", "zwlr_output_power_manager_v1", "zwlr_gamma_control_manager_v1", "ext_image_copy_capture_manager_v1",
    "ext_output_image_capture_source_manager_v1", "ext_foreign_toplevel_image_capture_source_manager_v1",
}


class Sandbox:
    """A security context: a socket whose clients are sandboxed, for as long as it is open."""

    def __init__(self, client, app_id="org.vitrine.sandboxed", engine="org.vitrine.sandbox"):
        self.path = os.path.join(os.environ["XDG_RUNTIME_DIR"], "sandbox")
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.path)
        listener.listen()
        theirs, self.ours = socket.socketpair()
        self.context = client.bind("wp_security_context_manager_v1").create_listener(listener.fileno(), theirs.fileno())
        self.context.set_sandbox_engine(engine)
        self.context.set_app_id(app_id)
        self.context.set_instance_id("1")
        self.context.commit()
        client.roundtrip()
        listener.close()
        theirs.close()

    def client(self):
        return wayland.Client({"XDG_RUNTIME_DIR": os.path.dirname(self.path), "WAYLAND_DISPLAY": os.path.basename(self.path)})


@testing.test
def a_sandboxed_client_sees_nothing_that_is_privileged():
    with lit_session() as session:
        ordinary = wayland.Client(session.environment)
        testing.equal(PRIVILEGED - set(ordinary.globals), set(), "privileged globals that an ordinary client lacks")
        sandboxed = Sandbox(ordinary).client()
        testing.equal(PRIVILEGED & set(sandboxed.globals), set(), "privileged globals that a sandboxed client sees")
        wayland.Window(sandboxed)  # and it can do its work
        number = next(event.name_ for event in ordinary.registry.events if event.interface == "zwlr_screencopy_manager_v1")
        guess = lambda: sandboxed.registry.bind(number, wayland.INTERFACES["zwlr_screencopy_manager_v1"], 1)  # noqa: E731
        testing.equal(sandboxed.error_of(guess), ("wl_registry", "invalid_object"), "error of a guessed global")
        if 'security.context engine="org.vitrine.sandbox" app="org.vitrine.sandboxed" instance="1"' not in session.compositor.log():
            raise AssertionError("the audit log does not have the security context")


@testing.test
def the_configuration_changes_what_a_sandboxed_client_sees():
    config = '[security]\nsandbox_allow = ["zwlr_screencopy_manager_v1"]\nsandbox_deny = ["wl_data_device_manager"]\n'
    with lit_session(config) as session:
        ordinary = wayland.Client(session.environment)
        sandboxed = Sandbox(ordinary).client()
        hidden = set(ordinary.globals) - set(sandboxed.globals)
        testing.equal("zwlr_screencopy_manager_v1" in hidden, False, "whether what is allowed is hidden")
        testing.equal("wl_data_device_manager" in hidden, True, "whether what is denied is hidden")
        testing.equal("wl_data_device_manager" in ordinary.globals, True, "whether an ordinary client sees what is denied")


@testing.test
def every_global_has_a_policy():
    listed = dict(line.split()[:2] for line in subprocess.check_output(["vitrine", "--list-protocols"], text=True).splitlines())
    with lit_session() as session:
        offered = set(wayland.Client(session.environment).globals)
        testing.equal(offered - set(listed), set(), "globals without a policy")
        sandboxed = set(Sandbox(wayland.Client(session.environment)).client().globals)
        allowed = {name for name, access in listed.items() if access == "everybody"}
        testing.equal(sandboxed, offered & allowed, "what a sandboxed client sees")


@testing.test
def the_session_is_idle_unless_a_visible_window_inhibits_it():
    with lit_session() as session:
        hands = Hands(session)
        client = wayland.Client(session.environment)
        seat, notifier = client.bind("wl_seat"), client.bind("ext_idle_notifier_v1")
        window = wayland.Window(client)

        def idles_at_once():
            notification = notifier.get_idle_notification(0, seat)
            client.roundtrip()
            notification.destroy()
            return "idled" in names(notification)

        testing.equal(idles_at_once(), True, "whether a session without inhibitors idles")
        inhibitor = client.bind("zwp_idle_inhibit_manager_v1").create_inhibitor(window.surface)
        testing.equal(idles_at_once(), False, "whether a visible window's inhibitor is obeyed")
        window.toplevel.set_minimized()
        testing.equal(idles_at_once(), True, "whether a minimised window's inhibitor counts")
        panel = client.bind("zwlr_foreign_toplevel_manager_v1")
        handle = client.expect(panel, "toplevel").toplevel
        handle.unset_minimized()
        testing.equal(idles_at_once(), False, "whether it counts again when the window is back")
        inhibitor.destroy()
        testing.equal(idles_at_once(), True, "whether a destroyed inhibitor counts")
        notification = notifier.get_idle_notification(1, seat)
        client.expect(notification, "idled")
        hands.by(1, 0)
        client.expect(notification, "resumed")
        client.expect(notification, "idled")
        hands.key("a")
        client.expect(notification, "resumed")


@testing.test
def virtual_devices_reach_the_focused_window():
    with lit_session() as session:
        hands = Hands(session)
        client = wayland.Client(session.environment)
        heard = Listener(client)
        wayland.Window(client)
        client.expect(heard.keyboard, "enter")
        hands.key("a")
        testing.equal(client.expect(heard.keyboard, "key").key, hands.KEYS["a"], "key")
        hands.to(hands.size[0] // 2, hands.size[1] // 2)
        client.expect(heard.pointer, "enter")
        hands.button(True)
        testing.equal(client.expect(heard.pointer, "button").button, hands.LEFT, "button")


@testing.test
def a_locked_pointer_stays_and_its_motion_is_told():
    with lit_session() as session:
        hands = Hands(session)
        client, heard, window, middle = pointed_window(session, hands)
        relative = client.bind("zwp_relative_pointer_manager_v1").get_relative_pointer(heard.pointer)
        manager = client.bind("zwp_pointer_constraints_v1")
        locked = manager.lock_pointer(window.surface, heard.pointer, None, "persistent")
        client.expect(locked, "locked")
        heard.pointer.events.clear()
        hands.by(40, 30)
        told = client.expect(relative, "relative_motion")
        testing.equal((told.dx, told.dy), (40, 30), "relative motion")
        testing.equal([name for name in names(heard.pointer) if name == "motion"], [], "motions of the locked pointer")
        locked.set_cursor_position_hint(10, 20)
        window.surface.commit()
        locked.destroy()
        client.roundtrip()
        hands.by(1, 1)
        moved = client.expect(heard.pointer, "motion")
        testing.equal((moved.surface_x, moved.surface_y), (11, 21), "where the pointer goes on")
        taken = lambda: [manager.lock_pointer(window.surface, heard.pointer, None, "persistent") for _ in "12"]  # noqa: E731
        testing.equal(client.error_of(taken), ("zwp_pointer_constraints_v1", "already_constrained"), "error")


@testing.test
def a_confined_pointer_stays_inside_and_another_focus_frees_it():
    with lit_session() as session:
        hands = Hands(session)
        client, heard, window, middle = pointed_window(session, hands)
        region = client.bind("wl_compositor").create_region()
        region.add(100, 50, 100, 100)
        confined = client.bind("zwp_pointer_constraints_v1").confine_pointer(window.surface, heard.pointer, region, "persistent")
        window.surface.commit()
        client.roundtrip()
        hands.by(1, 0)
        client.expect(confined, "confined")
        hands.by(1000, 1000)
        client.roundtrip()
        last = [event for event in heard.pointer.events if event.name == "motion"][-1]
        if not (100 <= last.surface_x < 200 and 50 <= last.surface_y < 150):
            raise AssertionError(f"the pointer left its region: {last}")
        wayland.Window(wayland.Client(session.environment), colour=(0, 0, 0xC8))  # takes the keyboard
        client.expect(confined, "unconfined")


@testing.test
def a_window_that_inhibits_shortcuts_gets_the_keys():
    with lit_session() as session:
        hands = Hands(session)
        client = wayland.Client(session.environment)
        heard = Listener(client)
        window = wayland.Window(client)
        client.expect(heard.keyboard, "enter")
        manager = client.bind("zwp_keyboard_shortcuts_inhibit_manager_v1")
        inhibitor = manager.inhibit_shortcuts(window.surface, heard.seat)
        client.expect(inhibitor, "active")
        heard.keyboard.events.clear()
        hands.key("f", logo=True)
        client.expect(heard.keyboard, "key", key=hands.KEYS["f"])
        hands.key("esc", logo=True)
        client.expect(inhibitor, "inactive")
        hands.key("f", logo=True)
        window.await_state("fullscreen")
        again = lambda: manager.inhibit_shortcuts(window.surface, heard.seat)  # noqa: E731
        testing.equal(client.error_of(again), ("zwp_keyboard_shortcuts_inhibit_manager_v1", "already_inhibited"), "error")


class Configuration:
    """One output's configuration by wlr-output-management."""

    def __init__(self, session):
        self.client = client = wayland.Client(session.environment)
        self.manager = client.bind("zwlr_output_manager_v1")
        client.roundtrip()
        (self.head,) = [event.head for event in self.manager.events if event.name == "head"]
        self.serial = client.expect(self.manager, "done").serial

    def ask(self, how, *, width=None, height=None, scale=1):
        """The answer: succeeded, failed or cancelled."""
        asked = self.manager.create_configuration(self.serial)
        head = asked.enable_head(self.head)
        if width is not None:
            head.set_custom_mode(width, height, 0)
        head.set_scale(scale)
        getattr(asked, how)()
        self.client.roundtrip()
        (answer,) = names(asked)
        asked.destroy()
        self.client.roundtrip()
        for event in self.manager.events:
            if event.name == "done":
                self.serial = event.serial
        return answer


@testing.test
def a_configuration_of_outputs_is_applied_as_a_whole_or_not_at_all():
    with lit_session() as session:
        outputs = Configuration(session)
        testing.equal(outputs.ask("test", width=800, height=600), "succeeded", "a test")
        testing.equal(s.photograph().shape[:2], (768, 1024), "size of the panel after the test")
        testing.equal(outputs.ask("apply", width=123, height=45), "failed", "a mode that there is not")
        session.fail("modesets_to_fail", 2)  # at once, and when the modes were tested one by one
        testing.equal(outputs.ask("apply", width=800, height=600), "failed", "a modeset that fails")
        testing.equal(session.calls()["modesets_to_fail"], 0, "modesets that were to fail, and are left")
        testing.equal(s.photograph().shape[:2], (768, 1024), "size of the panel after the modeset that failed")
        wayland.Window(wayland.Client(session.environment))
        s.wait_until(lambda: (s.photograph() == (0xC8, 0, 0)).all(axis=2).any(), "a window on the output that went on", 60)
        testing.equal(outputs.ask("apply", width=800, height=600, scale=2), "succeeded", "a modeset")
        testing.equal(s.photograph().shape[:2], (600, 800), "size of the panel")
        stale = outputs.serial - 1
        outputs.serial = stale
        testing.equal(outputs.ask("apply", width=1024, height=768), "cancelled", "a configuration of an older state")


def states_of(client, handle):
    """The names of the states that a panel was told last."""
    told = client.expect(handle, "state")
    values = memoryview(told.state).cast("I")
    return {name for name, value in handle.interface.enums["state"].items() if value in values}


@testing.test
def a_panel_lists_windows_and_its_actions_act():
    with lit_session() as session:
        panel, client = wayland.Client(session.environment), wayland.Client(session.environment)
        panel.bind("wl_output")  # else it is not told which one a window is on
        manager = panel.bind("zwlr_foreign_toplevel_manager_v1")
        listed = panel.bind("ext_foreign_toplevel_list_v1")
        window = wayland.Window(client, title="first")
        handle = panel.expect(manager, "toplevel").toplevel
        known = panel.expect(listed, "toplevel").toplevel
        testing.equal(panel.expect(handle, "title").title, "first", "title")
        testing.equal(panel.expect(handle, "app_id").app_id, "org.vitrine.wire", "app id")
        panel.expect(handle, "output_enter")
        testing.equal(panel.expect(known, "title").title, "first", "title in the ext list")
        window.toplevel.set_title("renamed")
        client.roundtrip()
        testing.equal(panel.expect(handle, "title").title, "renamed", "new title")
        testing.equal(panel.expect(known, "title").title, "renamed", "new title in the ext list")
        window.await_state("activated")
        handle.set_maximized()
        panel.roundtrip()
        window.await_state("maximized")
        while "maximized" not in states_of(panel, handle):
            pass
        handle.unset_maximized()
        handle.set_fullscreen(None)
        panel.roundtrip()
        window.await_state("fullscreen")
        handle.unset_fullscreen()
        panel.roundtrip()
        window.await_state("fullscreen", False)
        handle.set_minimized()
        panel.roundtrip()
        while "minimized" not in states_of(panel, handle):
            pass
        window.await_state("activated", False)
        handle.activate(panel.bind("wl_seat"))
        panel.roundtrip()
        window.await_state("activated")
        handle.close()
        panel.roundtrip()
        client.expect(window.toplevel, "close")
        client.close()
        panel.expect(handle, "closed")
        panel.expect(known, "closed")


@testing.test
def a_token_of_an_input_event_activates_a_window_and_no_other_does():
    with lit_session() as session:
        hands = Hands(session)
        other = wayland.Client(session.environment)
        behind = wayland.Window(other, colour=(0, 0, 0xC8))
        client, heard, window, middle = pointed_window(session, hands)
        behind.await_state("activated", False)
        activation = client.bind("xdg_activation_v1")

        def token(serial=None):
            request = activation.get_activation_token()
            if serial is not None:
                request.set_serial(serial, heard.seat)
            request.set_surface(window.surface)
            request.set_app_id("org.vitrine.wire")
            request.commit()
            return client.expect(request, "done").token

        behind.toplevel.events.clear()
        other.bind("xdg_activation_v1").activate(token(), behind.surface)
        other.roundtrip()
        testing.equal(names(behind.toplevel), [], "what a token without an event does")
        hands.button(True)
        serial = client.expect(heard.pointer, "button").serial
        other.bind("xdg_activation_v1").activate(token(serial), behind.surface)
        other.roundtrip()
        behind.await_state("activated")
        used = activation.get_activation_token()
        used.commit()
        testing.equal(client.error_of(used.commit), ("xdg_activation_token_v1", "already_used"), "error")


@testing.test
def a_window_becomes_the_dialog_of_another_clients():
    for version in ("v1", "v2"):
        with lit_session() as session:
            panel = wayland.Client(session.environment)
            manager = panel.bind("zwlr_foreign_toplevel_manager_v1")
            panel.roundtrip()
            one, two = wayland.Client(session.environment), wayland.Client(session.environment)
            parent, dialog = wayland.Window(one), wayland.Window(two, colour=(0, 0, 0xC8), size=(100, 80))
            handles = [panel.expect(manager, "toplevel").toplevel for _ in "12"]
            exporter = one.bind(f"zxdg_exporter_{version}")
            exported = (exporter.export if version == "v1" else exporter.export_toplevel)(parent.surface)
            name = one.expect(exported, "handle").handle
            importer = two.bind(f"zxdg_importer_{version}")
            imported = (importer.import_ if version == "v1" else importer.import_toplevel)(name)
            imported.set_parent_of(dialog.surface)
            two.roundtrip()
            s.wait_until(lambda: panel.roundtrip() or any(event.name == "parent" and event.parent is handles[0]
                                                          for event in handles[1].events), f"the parent by {version}")


@testing.test
def data_control_sets_and_sees_the_clipboard():
    with lit_session() as session:
        hands = Hands(session)
        tool, client = wayland.Client(session.environment), wayland.Client(session.environment)
        source = tool.bind("zwlr_data_control_manager_v1").create_data_source()
        source.offer("text/plain")
        tool.bind("zwlr_data_control_manager_v1").get_data_device(tool.bind("wl_seat")).set_selection(source)
        tool.roundtrip()
        device = client.bind("wl_data_device_manager").get_data_device(client.bind("wl_seat"))
        client.bind("wl_seat").get_keyboard()
        wayland.Window(client)
        offer = client.expect(device, "selection").id
        ours, theirs = os.pipe()
        offer.receive("text/plain", theirs)
        os.close(theirs)
        client.roundtrip()
        fd = tool.expect(source, "send").fd
        os.write(fd, b"copied")
        os.close(fd)
        testing.equal(os.read(ours, 100), b"copied", "what is pasted")
        hands.client.close()


def panel_shows(colour):
    return abs(s.photograph().astype(int) - colour).max() <= 1


@testing.test
def a_gamma_table_is_on_the_panel_alone_until_its_client_goes():
    inverted = tuple(255 - part for part in s.DESKTOP)
    with lit_session() as session:
        client, other = wayland.Client(session.environment), wayland.Client(session.environment)

        def control_of(connection):
            return connection.bind("zwlr_gamma_control_manager_v1").get_gamma_control(connection.bind("wl_output"))

        control = control_of(client)
        size = client.expect(control, "gamma_size").size
        other.expect(control_of(other), "failed")  # there is one for each output
        give_gamma(control, size, lambda value: 0xFFFF - value)
        client.roundtrip()
        s.wait_until(lambda: panel_shows(inverted), "the table on the panel")
        testing.equal((session.screenshot(cursor=False) == s.DESKTOP).all(), True, "whether a screenshot is without it")
        power = other.bind("zwlr_output_power_manager_v1").get_output_power(other.bind("wl_output"))
        other.expect(power, "mode", mode=1)
        power.set_mode("off")
        other.expect(power, "mode", mode=0)
        power.set_mode("on")
        other.expect(power, "mode", mode=1)
        s.wait_until(lambda: panel_shows(inverted), "the table after a modeset", 60)
        control.destroy()
        client.roundtrip()
        s.wait_until(lambda: panel_shows(s.DESKTOP), "the panel without the table")
        control = control_of(client)
        client.expect(control, "gamma_size")
        give_gamma(control, size, lambda value: 0)
        client.roundtrip()
        s.wait_until(lambda: panel_shows((0, 0, 0)), "the black table on the panel")
        client.close()
        s.wait_until(lambda: panel_shows(s.DESKTOP), "the panel after the client's end")


@testing.test
def a_gamma_table_that_is_none_is_refused():
    with lit_session() as session:
        def control():
            client = wayland.Client(session.environment)
            manager = client.bind("zwlr_gamma_control_manager_v1")
            made = manager.get_gamma_control(client.bind("wl_output"))
            manager.destroy()  # its controls stay
            return client, made, client.expect(made, "gamma_size").size

        client, made, size = control()
        error = client.error_of(lambda: give_gamma(made, size - 1, lambda value: value))
        testing.equal(error, ("zwlr_gamma_control_v1", "invalid_gamma"), "error of a table that is too short")
        client, made, size = control()
        ends = os.pipe()  # has no offset to read at
        made.set_gamma(ends[0])
        client.expect(made, "failed")
        give_gamma(made, size, lambda value: 0)  # the control does nothing any more
        client.roundtrip()
        for end in ends:
            os.close(end)
        testing.equal(panel_shows(s.DESKTOP), True, "whether the panel is without a table")


@testing.test
def clients_draw_their_decorations_and_kde_is_told_so():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        manager = client.bind("org_kde_kwin_server_decoration_manager")
        testing.equal(client.expect(manager, "default_mode").mode, 1, "default mode")
        window = wayland.Window(client)
        decoration = manager.create(window.surface)
        testing.equal(client.expect(decoration, "mode").mode, 1, "mode")


@testing.test
def a_half_transparent_surface_shows_what_is_below():
    with lit_session() as session:
        client = wayland.Client(session.environment)
        window = wayland.Window(client, colour=(0xFF, 0xFF, 0xFF))
        modifier = client.bind("wp_alpha_modifier_v1").get_surface(window.surface)
        modifier.set_multiplier(1 << 31)
        client.show(window.surface, *window.size, window.colour)
        client.roundtrip()
        expected = [(0xFF + part) / 2 for part in s.DESKTOP]

        def blended():
            panel = s.photograph()
            middle = panel[panel.shape[0] // 2, panel.shape[1] // 2]
            return all(abs(int(got) - want) <= 2 for got, want in zip(middle, expected))

        s.wait_until(blended, "the blended window", 60)


@testing.test
def text_goes_from_the_input_method_to_the_focused_field():
    with lit_session() as session:
        hands = Hands(session)
        keyboard, client = wayland.Client(session.environment), wayland.Client(session.environment)
        method = keyboard.bind("zwp_input_method_manager_v2").get_input_method(keyboard.bind("wl_seat"))
        second = keyboard.bind("zwp_input_method_manager_v2").get_input_method(keyboard.bind("wl_seat"))
        keyboard.expect(second, "unavailable")
        heard = Listener(client)
        field = client.bind("zwp_text_input_manager_v3").get_text_input(heard.seat)
        window = wayland.Window(client)
        testing.equal(client.expect(field, "enter").surface, window.surface, "surface of the field")
        field.enable()
        field.set_surrounding_text("abc", 3, 3)
        field.set_content_type("none", "number")
        field.set_cursor_rectangle(10, 10, 2, 20)
        field.commit()
        client.roundtrip()
        keyboard.expect(method, "activate")
        testing.equal(keyboard.expect(method, "surrounding_text").text, "abc", "surrounding text")
        testing.equal(keyboard.expect(method, "content_type").purpose, 3, "purpose")
        keyboard.expect(method, "done")
        method.set_preedit_string("he", 0, 2)
        method.commit_string("hello")
        method.delete_surrounding_text(1, 0)
        method.commit(1)
        keyboard.roundtrip()
        testing.equal(client.expect(field, "preedit_string").text, "he", "preedit")
        testing.equal(client.expect(field, "commit_string").text, "hello", "text")
        testing.equal(client.expect(field, "delete_surrounding_text").before_length, 1, "deleted")
        client.expect(field, "done")
        surface = keyboard.bind("wl_compositor").create_surface()
        popup = method.get_input_popup_surface(surface)
        keyboard.show(surface, 40, 30, (0, 0xC8, 0))
        keyboard.expect(popup, "text_input_rectangle")
        s.wait_until(lambda: (s.photograph() == (0, 0xC8, 0)).all(axis=2).sum() == 40 * 30, "the input method's popup", 60)
        grab = method.grab_keyboard()
        keyboard.roundtrip()
        heard.keyboard.events.clear()
        hands.key("a")
        keyboard.expect(grab, "key", key=hands.KEYS["a"])
        grab.release()
        keyboard.roundtrip()
        hands.key("m")
        testing.equal(client.expect(heard.keyboard, "key").key, hands.KEYS["m"], "the first key that the client gets")
        field.disable()
        field.commit()
        client.roundtrip()
        keyboard.expect(method, "deactivate")


@testing.test
def a_surface_takes_each_chroma_location_and_no_colours_that_are_none():
    with lit_session() as session:
        for request, arguments, error in (("set_chroma_location", (0,), "chroma_location"), ("set_chroma_location", (7,), "chroma_location"),
                                          ("set_coefficients_and_range", (1, 9), "coefficients"), ("set_alpha_mode", (9,), "alpha_mode")):
            client = wayland.Client(session.environment)
            surface = client.bind("wl_compositor").create_surface()
            colours = client.bind("wp_color_representation_manager_v1").get_surface(surface)
            for location in range(1, 7):  # H.273 has six
                colours.set_chroma_location(location)
                surface.commit()
            client.roundtrip()
            testing.equal(client.error_of(lambda: getattr(colours, request)(*arguments)),  # noqa: B023
                          ("wp_color_representation_surface_v1", error), f"error of {request}{arguments}")


if __name__ == "__main__":
    testing.main(sys.argv[1:])
