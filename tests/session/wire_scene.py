"""One of each object that a client can have, for tests that destroy them in the wrong order: made by hand, with real buffers."""

import fcntl
import mmap
import os
import struct

import wire

WIDTH, HEIGHT = 64, 32
STRIDE = WIDTH * 4
XRGB8888 = 0x34325258
DMA_HEAP_ALLOC, SYNCOBJ_CREATE, SYNCOBJ_HANDLE_TO_FD = 0xC0184800, 0xC00864BF, 0xC01064C1


class Memory:
    """File descriptors that all connections of a test share: a memfd, an ordinary dma-buf, a DRM syncobj."""

    def __init__(self):
        self.pool = os.memfd_create("abuse")
        os.ftruncate(self.pool, STRIDE * HEIGHT)
        heap = os.open("/dev/dma_heap/system", os.O_RDWR | os.O_CLOEXEC)
        request = bytearray(struct.pack("=QIIQ", (STRIDE * HEIGHT + mmap.PAGESIZE - 1) // mmap.PAGESIZE * mmap.PAGESIZE, 0,
                                        os.O_RDWR | os.O_CLOEXEC, 0))
        fcntl.ioctl(heap, DMA_HEAP_ALLOC, request)
        os.close(heap)
        self.dmabuf = struct.unpack("=QIIQ", request)[1]
        self.drm = os.open("/dev/dri/renderD128", os.O_RDWR | os.O_CLOEXEC)
        request = bytearray(8)
        fcntl.ioctl(self.drm, SYNCOBJ_CREATE, request)
        handle = struct.unpack("=II", request)[0]
        request = bytearray(struct.pack("=IIiI", handle, 0, -1, 0))
        fcntl.ioctl(self.drm, SYNCOBJ_HANDLE_TO_FD, request)
        self.syncobj = struct.unpack("=IIiI", request)[2]

    def fds(self):
        return (self.pool, self.dmabuf, self.syncobj)


class Scene:
    """All of it in one connection, shown. `objects` has it by name."""

    def __init__(self, memory):
        self.memory = memory
        self.connection = wire.Connection()
        self.objects = {}
        self._bind_globals()
        self.connection.roundtrip()
        self._make_buffers()
        self._make_windows()
        self._make_input()
        self._make_rest()
        self.connection.roundtrip()

    def add(self, name, made):
        if made is not None:
            self.objects[name] = made
        return made

    def __getitem__(self, name):
        return self.objects[name]

    def _bind_globals(self):
        for name in sorted(self.connection.globals):
            if name in wire.INTERFACES and name != "wl_output":
                self.add(name, self.connection.bind(name))
        self.add("wl_output", self.connection.bind("wl_output"))

    def _make_buffers(self):
        pool = self.add("pool", self["wl_shm"].create_pool(self.memory.pool, STRIDE * HEIGHT))
        self.add("shm-buffer", pool.create_buffer(0, WIDTH, HEIGHT, STRIDE, 1))
        self.add("pixel", self["wp_single_pixel_buffer_manager_v1"].create_u32_rgba_buffer(0, 0, 0, 0xFFFFFFFF))
        params = self["zwp_linux_dmabuf_v1"].create_params()
        params.add(self.memory.dmabuf, 0, 0, STRIDE, 0, 0)
        self.add("dmabuf-buffer", params.create_immed(WIDTH, HEIGHT, XRGB8888, 0))
        self.add("used-params", params)
        fresh = self.add("params", self["zwp_linux_dmabuf_v1"].create_params())
        fresh.add(self.memory.dmabuf, 0, 0, STRIDE, 0, 0)
        self.add("timeline", self["wp_linux_drm_syncobj_manager_v1"].import_timeline(self.memory.syncobj))

    def _surface(self, name):
        return self.add(name, self["wl_compositor"].create_surface())

    def show(self, surface, shell_surface=None, buffer="shm-buffer"):
        """Maps a surface; one with an xdg_surface is configured first."""
        surface.commit()
        if shell_surface is not None:
            self.connection.wait_for(lambda: shell_surface.number in self.connection.configured, "a configure")
            shell_surface.ack_configure(self.connection.configured[shell_surface.number])
        surface.attach(self[buffer], 0, 0)
        surface.damage(0, 0, WIDTH, HEIGHT)
        surface.commit()

    def _window(self, name, parent=None):
        surface = self._surface(f"{name}-surface")
        shell = self.add(f"{name}-xdg", self["xdg_wm_base"].get_xdg_surface(surface))
        toplevel = self.add(name, shell.get_toplevel())
        if parent is not None:
            toplevel.set_parent(parent)
        return surface, shell, toplevel

    def _popup(self, name, parent):
        surface = self._surface(f"{name}-surface")
        shell = self.add(f"{name}-xdg", self["xdg_wm_base"].get_xdg_surface(surface))
        self.add(name, shell.get_popup(parent, self["positioner"]))
        self.show(surface, shell)
        return shell

    def _make_windows(self):
        positioner = self.add("positioner", self["xdg_wm_base"].create_positioner())
        positioner.set_size(WIDTH, HEIGHT)
        positioner.set_anchor_rect(0, 0, 10, 10)
        surface, shell, window = self._window("window")
        self.add("decoration", self["zxdg_decoration_manager_v1"].get_toplevel_decoration(window))
        self.show(surface, shell, "dmabuf-buffer")
        sub = self._surface("sub-surface")
        self.add("subsurface", self["wl_subcompositor"].get_subsurface(sub, surface))
        self.show(sub, buffer="dmabuf-buffer")
        deep = self._surface("deep-surface")
        self.add("deep-subsurface", self["wl_subcompositor"].get_subsurface(deep, sub))
        self.show(deep)
        surface.commit()
        dialog_surface, dialog_shell, _ = self._window("dialog", window)
        self.show(dialog_surface, dialog_shell)
        first = self._popup("popup", shell)
        self._popup("nested-popup", first)

    def _make_input(self):
        seat = self["wl_seat"]
        self._surface("cursor-surface")
        for bit, kind in ((1, "pointer"), (2, "keyboard"), (4, "touch")):
            if self.connection.capabilities & bit:
                self.add(kind, getattr(seat, f"get_{kind}")())
        if "pointer" in self.objects:
            self["pointer"].set_cursor(0, self["cursor-surface"], 0, 0)
            self.add("cursor-shape", self["wp_cursor_shape_manager_v1"].get_pointer(self["pointer"]))
        source = self.add("data-source", self["wl_data_device_manager"].create_data_source())
        source.offer("text/plain")
        self.add("data-device", self["wl_data_device_manager"].get_data_device(seat))
        self._surface("icon-surface")
        self["data-device"].start_drag(None, self["window-surface"], self["icon-surface"], 0)
        source = self.add("primary-source", self["zwp_primary_selection_device_manager_v1"].create_source())
        source.offer("text/plain")
        self.add("primary-device", self["zwp_primary_selection_device_manager_v1"].get_device(seat))

    def _make_rest(self):
        surface = self["window-surface"]
        self.add("viewport", self["wp_viewporter"].get_viewport(surface))
        self.add("fractional-scale", self["wp_fractional_scale_manager_v1"].get_fractional_scale(surface))
        self.add("colors", self["wp_color_representation_manager_v1"].get_surface(surface))
        self.add("presentation-feedback", self["wp_presentation"].feedback(surface))
        self.add("frame-callback", surface.frame())
        self.add("dmabuf-feedback", self["zwp_linux_dmabuf_v1"].get_surface_feedback(surface))
        self.add("xdg-dialog", self["xdg_wm_dialog_v1"].get_xdg_dialog(self["dialog"]))
        icon = self.add("icon", self["xdg_toplevel_icon_manager_v1"].create_icon())
        icon.set_name("video")
        self["xdg_toplevel_icon_manager_v1"].set_icon(self["window"], icon)
        self.add("region", self["wl_compositor"].create_region())
        synced = self._surface("synced-surface")
        sync = self.add("sync", self["wp_linux_drm_syncobj_manager_v1"].get_surface(synced))
        sync.set_acquire_point(self["timeline"], 0, 1)
        sync.set_release_point(self["timeline"], 0, 2)
        synced.attach(self["dmabuf-buffer"], 0, 0)
        synced.commit()  # waits for ever
        self._make_waiting_window()
        self._surface("plain-surface")
        self.add("bare-xdg", self["xdg_wm_base"].get_xdg_surface(self._surface("bare-surface")))  # without a role yet
        self.add("screencopy-frame",
                 self["zwlr_screencopy_manager_v1"].capture_output_region(0, self["wl_output"], 0, 0, WIDTH, HEIGHT))
        source = self.add("capture-source", self["ext_output_image_capture_source_manager_v1"].create_source(self["wl_output"]))
        captures = self["ext_image_copy_capture_manager_v1"]
        capture = self.add("capture-session", captures.create_session(source, 0))
        self.add("capture-frame", capture.create_frame()).attach_buffer(self["shm-buffer"])
        self.add("gamma", self["zwlr_gamma_control_manager_v1"].get_gamma_control(self["wl_output"]))
        self.add("xdg-output", self["zxdg_output_manager_v1"].get_xdg_output(self["wl_output"]))

    def _make_waiting_window(self):
        """A window whose next commit waits for a fence that never comes, and a popup that is not shown yet."""
        surface, shell, _ = self._window("waiting")
        self.show(surface, shell)
        sync = self.add("waiting-sync", self["wp_linux_drm_syncobj_manager_v1"].get_surface(surface))
        sync.set_acquire_point(self["timeline"], 0, 1)
        sync.set_release_point(self["timeline"], 0, 2)
        surface.attach(self["dmabuf-buffer"], 0, 0)
        surface.commit()
        popup_surface = self._surface("hidden-popup-surface")
        popup_shell = self.add("hidden-popup-xdg", self["xdg_wm_base"].get_xdg_surface(popup_surface))
        self.add("hidden-popup", popup_shell.get_popup(shell, self["positioner"]))

    def value_for(self, argument, spare=0, near=""):
        """A value that the request may take: of several objects of an interface the one number `spare`, counted from those whose names
        begin with `near`; None, where there is none."""
        if argument.kind == "object":
            fitting = [(not name.startswith(near), one) for name, one in self.objects.items()
                       if one.interface.name == argument.interface and one.alive]
            fitting.sort(key=lambda pair: pair[0])
            return fitting[spare % len(fitting)][1] if fitting else None
        if argument.kind == "fd":
            return self.memory.fds()[spare % 3]
        return {"int": 1, "uint": 1, "fixed": 1.0, "string": "text/plain", "array": b""}[argument.kind]

    def use(self, target, message, spare=0, near=""):
        """Sends the request with fitting values. False: it needs an object of which there is none (any more)."""
        values = []
        for argument in message.arguments:
            if argument.kind == "new_id":
                if argument.interface is None:
                    return False
                continue
            value = self.value_for(argument, spare, near)
            if value is None and not argument.optional:
                return False
            values.append(value)
        self.connection.send(target, message, *values)
        return True
