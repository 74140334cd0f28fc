#include "tests/board/plane-bench/metric.h"

#include <algorithm>
#include <array>

namespace vitrine::bench {
namespace {

constexpr std::array metrics = {
    Metric{
        "test-only", "TEST_ONLY commit", "µs", Better::Lower, 0.10, 5, false, "what asking the driver costs, by planes",
        "Time of one DRM_IOCTL_MODE_ATOMIC with DRM_MODE_ATOMIC_TEST_ONLY, from before the call to after it.\n"
        "Each request places N planes: the primary, whole, and overlays of 256x256 pixels. `outcome=accepted` are\n"
        "requests that the driver takes. `outcome=refused` are requests with one plane that it does not take: it is\n"
        "shown at 1/64 of its size, which no known hardware does; where a driver takes even that, its source lies\n"
        "outside of the buffer, which the kernel's core refuses.\n"
        "A compositor that searches for a plane assignment pays this price for each question within one frame."},
    Metric{
        "commit-blocking", "Commit, blocking", "µs", Better::Lower, 0.10, 50, false,
        "a commit that waits for its vblank",
        "Time of one blocking DRM_IOCTL_MODE_ATOMIC that changes the primary's framebuffer. It returns after the "
        "flip,\n"
        "so it takes up to one refresh period. It is started just after a vblank, so that a value near the period is\n"
        "what to expect; more than one period says that the driver missed a vblank."},
    Metric{"commit-nonblocking", "Commit, non-blocking", "µs", Better::Lower, 0.10, 10, false,
           "the call alone: what a frame costs the compositor",
           "Time of one DRM_IOCTL_MODE_ATOMIC with DRM_MODE_ATOMIC_NONBLOCK and DRM_MODE_PAGE_FLIP_EVENT, from before "
           "the\n"
           "call to after it, by number of planes whose framebuffer changes. The flip itself is not part of it.\n"
           "This time is taken from the compositor's frame on the thread that commits."},
    Metric{
        "commit-to-flip", "Commit to flip", "µs", Better::Lower, 0.10, 200, false,
        "from the call to the event of its flip",
        "Time from before a non-blocking commit to when its flip event can be read. The commit is made at a random\n"
        "moment between two vblanks, so a display without delay gives values spread evenly from `commit-deadline` to\n"
        "one period more. A median of more than one period says that the driver queues frames."},
    Metric{"commit-deadline", "Latest commit for the next vblank", "µs", Better::Lower, 0.15, 200, false,
           "how long before a vblank a commit has to be made",
           "The latest moment before a vblank at which a commit still takes effect in this vblank: found by bisection\n"
           "over the time left, between none and one period, by the sequence number of the flip event. Each step asks\n"
           "three times and takes the majority. A compositor that renders as late as possible for low latency has to\n"
           "leave this much time. It holds the time of the call itself, and how late the scheduler wakes the process."},
    Metric{"flip-jitter", "Jitter of flip timestamps", "µs", Better::Lower, 0.20, 20, false,
           "how far timestamps are from an even beat",
           "Flips are made in a row, one per vblank. For each two timestamps of neighbouring vblanks: how far their\n"
           "distance is from the period that the mode says. Timestamps of vblanks, by the kernel's clock, with one\n"
           "microsecond of resolution. Variable refresh rate is off. Frames that missed their vblank count in\n"
           "`missed-vblanks` and not here."},
    Metric{
        "missed-vblanks", "Missed vblanks", "per 1000", Better::Lower, 0, 10, false,
        "flips that came a vblank or more too late",
        "Flips are made in a row; each commit follows the event of the flip before at once. Of a thousand vblanks so\n"
        "many showed no new frame. One number per repetition."},
    Metric{
        "flip-rate", "Flips per second", "Hz", Better::Higher, 0.01, 0.5, false,
        "flips in a row, with and without vsync",
        "Flips in a row, each committed as soon as the event of the one before was read; one number per repetition.\n"
        "`mode=sync` reaches the refresh rate. `mode=async` uses DRM_MODE_PAGE_FLIP_ASYNC, which does not wait for "
        "the\n"
        "vblank, where driver and kernel have it for atomic commits."},
    Metric{
        "cursor-move", "Moving the cursor plane", "µs", Better::Lower, 0.10, 10, false,
        "the call that moves the pointer's plane",
        "Time of one non-blocking atomic commit that changes CRTC_X and CRTC_Y of the cursor plane and nothing else.\n"
        "Where a device has no cursor plane, there is no value."},
    Metric{
        "plane-move", "Moving a layer to another plane", "µs", Better::Lower, 0.10, 20, false,
        "test and commit when a layer changes its plane",
        "A layer of 256x256 pixels moves from one overlay to another in one commit: the first is switched off and the\n"
        "second shows the same framebuffer. The time of the TEST_ONLY and of the non-blocking commit together.\n"
        "This is the step that a compositor pays when windows are restacked."},
    Metric{"addfb2", "ADDFB2 by format", "µs", Better::Lower, 0.10, 5, false, "making a framebuffer of a buffer",
           "Time of DRM_IOCTL_MODE_ADDFB2 for a buffer of 640x360 pixels whose GEM handle exists, by format."},
    Metric{"prime-import", "Import of a dma-buf by format", "µs", Better::Lower, 0.10, 5, false,
           "from file descriptor to GEM handle",
           "Time of DRM_IOCTL_PRIME_FD_TO_HANDLE for a buffer of 640x360 pixels that the device does not know yet, by\n"
           "format. A compositor pays it for each new client buffer."},
    Metric{"rmfb", "RMFB by format", "µs", Better::Lower, 0.10, 5, false, "removing a framebuffer that is not shown",
           "Time of DRM_IOCTL_MODE_RMFB for a framebuffer that no plane shows, by format."},
    Metric{"first-frame", "First frame from dark", "ms", Better::Lower, 0.10, 5, false, "modeset to the first flip",
           "From before the commit that sets the mode on a dark output to the event of the first flip after it.\n"
           "One number per repetition. Panels may need much longer to show light; the kernel cannot see that."},
    Metric{"out-fence", "OUT_FENCE to wake-up", "µs", Better::Lower, 0.15, 30, false,
           "how late a waiter for the out-fence wakes",
           "From the timestamp of the flip's vblank to when poll() on the fence of OUT_FENCE_PTR returns in this "
           "process."},
    Metric{"in-fence", "IN_FENCE to flip", "µs", Better::Lower, 0.15, 200, false,
           "from a fence to the flip that waited for it",
           "A commit waits for a fence (IN_FENCE_FD) that is signalled by software (sw_sync, in debugfs) just after a\n"
           "vblank. From the signal to the event of the flip. Without sw_sync there is no value."},
    Metric{
        "scene-cost", "Composed against offloaded", "µs", Better::Lower, 0.10, 50, false,
        "CPU time per frame for the same scene on planes and composed",
        "CPU time of this process per frame for a scene of N layers of 256x256 pixels that all change in each frame.\n"
        "`way=offloaded` puts each layer on a plane. `way=composed` copies all into one buffer for the primary, as a\n"
        "compositor without a GPU does. Protected layers cannot be composed so, and have no such value."},
    Metric{"planes-at-once", "Planes at once", "planes", Better::Higher, 0, 0.5, true,
           "how many planes the driver accepts together",
           "The most planes, the primary among them, that TEST_ONLY accepts at once on this output, by format and size "
           "of\n"
           "the overlays, modifier, scale and rotation. Planes are added one after another in stacking order; one that "
           "is\n"
           "refused is left out, and the next one is tried."},
    Metric{
        "scale-limit", "Limits of scaling", "x", Better::Higher, 0, 0.01, true,
        "the largest and smallest scale of a plane",
        "The factor up to which TEST_ONLY accepts that a plane enlarges (`direction=up`) or down to which it reduces\n"
        "(`direction=down`, told as its inverse, so that larger is better for both), found by bisection between 1 and\n"
        "64. The presence of SRC_W and CRTC_W says nothing about it: every plane has these."},
    Metric{"bandwidth-tested", "Bandwidth that TEST_ONLY promises", "MB/s", Better::Higher, 0, 1, true,
           "what full-screen planes may read per second, as the driver says",
           "Bytes per second that the planes of this output read with as many full-screen planes of 32-bit RGB as\n"
           "TEST_ONLY accepts together, one above the other."},
    Metric{
        "bandwidth-held", "Bandwidth that is held", "MB/s", Better::Higher, 0.02, 1, false,
        "what full-screen planes read without a missed vblank",
        "The same set of planes, all flipped in each frame; the topmost is left out until all flips of a row come one "
        "per\n"
        "vblank. 0 if even the primary alone misses one. Less than `bandwidth-tested` says that the driver promises\n"
        "what memory does not give, or that something else keeps the process from its processor."},
    Metric{"test-commit-disagree", "Commits that fail after a passed test", "commits", Better::Lower, 0, 0.5, true,
           "how often TEST_ONLY promised too much",
           "Of the layouts of `planes-at-once`, so many passed TEST_ONLY and were refused by the real commit. Zero is "
           "what\n"
           "the kernel's documentation promises; protected buffers on a display that may not read them break it."},
};

} // namespace

std::span<const Metric> allMetrics() {
  return metrics;
}

const Metric* findMetric(std::string_view name) {
  const auto found = std::ranges::find(metrics, name, &Metric::name);
  return found == metrics.end() ? nullptr : &*found;
}

} // namespace vitrine::bench
