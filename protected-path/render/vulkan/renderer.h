#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protected-path/base/format.h"
#include "protected-path/base/refusal.h"
#include "protected-path/base/unique_fd.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/policy/policy.h"

namespace vitrine {

/** What one Vulkan device of this machine can do, for vitrine-probe and for choosing. */
struct VulkanDeviceReport {
  std::string name;
  std::string driver;
  uint32_t apiVersion = 0;
  bool softwareRasterizer = false; ///< VK_PHYSICAL_DEVICE_TYPE_CPU
  GpuFacts gpu;
  /**
   * VkPhysicalDeviceProtectedMemoryProperties::protectedNoFault, where there is protected memory: accesses that its
   * rules forbid are dropped or give undefined values; otherwise they may do anything. Composition is the same on both:
   * it makes no such access (R1). This says what a mistake would cost.
   */
  bool protectedNoFault = false;
  Refusal refusal = Refusal::None; ///< why it cannot be used for protected composition, or None
  /** A target's memory must have room for its rows rounded up to a multiple of this (Renderer::importTarget). */
  uint32_t targetRowMultiple = 1;
  std::vector<std::string> missingExtensions; ///< of those that composition needs; empty: usable
  /** `/dev/dri/renderD128` (VK_EXT_physical_device_drm); empty where the driver has none, as software ones. */
  std::string renderNode;
};

/** Every Vulkan device, usable or not. An absent loader or driver is an empty list, and so, logged, is what cannot be listed. */
[[nodiscard]] std::vector<VulkanDeviceReport> listVulkanDevices();

/** Straight (not premultiplied) colour in 0…1, in the output's own (gamma-encoded) space. */
struct Color {
  float red = 0;
  float green = 0;
  float blue = 0;
  float alpha = 1;
  bool operator==(const Color&) const = default;
};

/** Whether an error says that the GPU was reset (VK_ERROR_DEVICE_LOST): everything on it is gone. */
[[nodiscard]] bool isDeviceLost(const Error& error);

class Renderer;

/**
 * Something to sample: an imported dma-buf or an upload. A texture of a buffer that the GPU may not import exists too
 * (`isPlaceholder()`): it has a size and draws as the placeholder.
 */
class Texture {
public:
  virtual ~Texture() = default;
  [[nodiscard]] Size size() const { return size_; }
  [[nodiscard]] uint32_t fourcc() const { return fourcc_; }
  [[nodiscard]] bool isPlaceholder() const { return refusal_ != Refusal::None; }
  /** Why it is a placeholder. */
  [[nodiscard]] Refusal refusal() const { return refusal_; }
  [[nodiscard]] bool protectedContent() const { return protectedContent_; }
  /** What was uploaded never got there, since a later call failed. Draws as the placeholder; has to be uploaded anew. */
  [[nodiscard]] virtual bool contentLost() const { return false; }

protected:
  Texture(Size size, uint32_t fourcc, bool protectedContent, Refusal refusal)
      : size_(size), fourcc_(fourcc), protectedContent_(protectedContent), refusal_(refusal) {}
  Size size_;
  uint32_t fourcc_;
  bool protectedContent_;
  Refusal refusal_;
};

/** Something to draw into: an imported dma-buf of an RGB format. Keeps its content between passes. */
class RenderTarget {
public:
  virtual ~RenderTarget() = default;
  [[nodiscard]] Size size() const { return size_; }
  [[nodiscard]] bool isProtected() const { return protected_; }

protected:
  RenderTarget(Size size, bool isProtected) : size_(size), protected_(isProtected) {}
  Size size_;
  bool protected_;
};

/** The pixels of a target on their way to CPU memory: a copy, which later passes do not change. */
class Readback {
public:
  virtual ~Readback() = default;
  /** A sync file that signals when they are there; -1: they are. Borrowed. */
  [[nodiscard]] int done() const { return done_.get(); }
  /**
   * Gives those of `box`, in rows `strideBytes` apart; not to be called before done() has signalled. `fourcc` ARGB8888,
   * XRGB8888, ABGR8888 or XBGR8888. Refused(GpuFormatUnsupported, SizeInvalid, StrideTooSmall, LayoutOutOfBounds).
   */
  [[nodiscard]] virtual Result<> read(const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                      std::span<std::byte> bytes) const = 0;

protected:
  explicit Readback(UniqueFd done) : done_(std::move(done)) {}
  UniqueFd done_;
};

/** One thing drawn in a pass, in order. */
struct DrawCommand {
  enum class Kind : uint8_t {
    Solid,       ///< `color` over `destination`
    Texture,     ///< `texture`'s `source` over `destination`
    Placeholder, ///< the placeholder over `destination`, as drawn for content that may not be shown here
    Hole,        ///< transparent black, replacing: what lies under the primary shows through
  };
  Kind kind = Kind::Solid;
  Rect destination; ///< in target pixels
  Color color;
  const Texture* texture =
      nullptr; ///< borrowed; must live until the pass's fence has signalled or the texture's own release
  SourceRect source;
  /** Flipped ones are mirrored left to right first, then all are turned counter-clockwise, as KMS's `rotation` does. */
  Transform transform = Transform::Normal;
  float alpha = 1.0F;
  bool blend = true;    ///< premultiplied over; false replaces
  bool nearest = false; ///< nearest instead of bilinear filtering
  /** YCbCr only. Chroma is replicated over its cell, not interpolated, as planes do at 1:1; then all is filtered. */
  ColorEncoding encoding = ColorEncoding::Bt709;
  ColorRange range = ColorRange::Limited;
};

/** How a YCbCr dma-buf becomes something to sample. The pixels are the same; format_support.h says what speaks for which. */
enum class YccImport : uint8_t {
  PlaneByPlane, ///< an image for each colour plane
  OneImage,     ///< one multi-planar image, through a VkSamplerYcbcrConversion
};

struct RendererCounters {
  uint64_t submits = 0;     ///< vkQueueSubmit* of any kind
  uint64_t imports = 0;     ///< dma-buf memory imports asked of the driver: one for each image, so one or two for NV12
  uint64_t allocations = 0; ///< vkAllocateMemory
  uint64_t pixelsDrawn = 0; ///< sum of the clipped areas of all passes
  uint64_t placeholdersDrawn = 0;
  uint64_t validationMessages = 0; ///< warnings and errors of the validation layer; 0 without it

  RendererCounters& operator+=(const RendererCounters& other);
};

/**
 * Composes with Vulkan. The device is chosen without a DRM match: display and renderer may be different devices.
 *
 * R1 is enforced in compose(), below everything that could forget it: into a target that is not protected, every
 * texture with protected content draws as the placeholder. The CPU waits for no fence: acquire fences are waited for on
 * the GPU, completion comes back as a sync file. Thread: one.
 */
class Renderer {
public:
  struct Options {
    bool validation =
        false; ///< VK_LAYER_KHRONOS_validation with synchronisation checks, messages to the `vulkan` logger
    dev_t displayDevice = 0; ///< the display's device number: its own GPU is preferred; 0: not known
    std::string deviceName;  ///< only devices whose name contains this; empty: best there is
    /** For tests: only this way, and what cannot go it is refused. Empty: what is best for each format and modifier. */
    std::optional<YccImport> yccImport;
  };

  /** Refused(GpuAbsent) where no device composes; the text lists each device with what it lacks. Missing where Vulkan's
   * loader or the validation layer is. Vulkan where a call fails. */
  [[nodiscard]] static Result<std::unique_ptr<Renderer>> create(const Options& options);
  virtual ~Renderer() = default;

  [[nodiscard]] virtual const VulkanDeviceReport& device() const = 0;
  [[nodiscard]] virtual const RendererCounters& counters() const = 0;
  /** Formats × modifiers that dma-bufs may have to be sampled, and to be drawn into. */
  [[nodiscard]] virtual std::span<const FormatModifier> sampledFormats() const = 0;
  [[nodiscard]] virtual std::span<const FormatModifier> targetFormats() const = 0;
  /** shm formats that upload() takes: ARGB8888 and XRGB8888 always. */
  [[nodiscard]] virtual std::span<const uint32_t> uploadFormats() const = 0;

  /**
   * Imports a dma-buf to sample. A no_map buffer that this device may not import yields a placeholder texture with its
   * reason, not an error, and the driver is not asked. A YCbCr buffer that the driver refuses is tried the other way
   * that its format and modifier have, if any. Errors: Refused(GpuFormatUnsupported, GpuImportFailed), as the best way
   * was; Vulkan for a lost device or exhausted memory.
   */
  [[nodiscard]] virtual Result<std::unique_ptr<Texture>> import(const Dmabuf& buffer) = 0;

  /** A texture from CPU memory: `bytes` of rows `strideBytes` apart. Copied before it returns. */
  [[nodiscard]] virtual Result<std::unique_ptr<Texture>> upload(Size size, uint32_t fourcc, uint32_t strideBytes,
                                                                std::span<const std::byte> bytes) = 0;
  /** Replaces `changed` regions of an uploaded texture (same size and format; stride may differ). */
  [[nodiscard]] virtual Result<> update(Texture& texture, uint32_t strideBytes, std::span<const std::byte> bytes,
                                        std::span<const Rect> changed) = 0;

  /**
   * Imports a dma-buf to draw into (and to read back where it is ordinary memory). Its evidence decides whether it is a
   * protected target. Errors: Refused(GpuNoProtectedMemory, ClaimWithoutEvidence, GpuFormatUnsupported,
   * GpuImportFailed, and LayoutOutOfBounds where device().targetRowMultiple does not fit); Vulkan for a lost device or
   * exhausted memory.
   */
  [[nodiscard]] virtual Result<std::unique_ptr<RenderTarget>> importTarget(const Dmabuf& buffer) = 0;

  /**
   * Draws `commands` in order, only inside `damage` (disjoint boxes, target pixels). `waitFor` are sync files that the
   * GPU waits for; they are consumed. Returns a sync file that signals when the pass is done; an invalid fd means that
   * it already is (drivers on the CPU say so). Error: Vulkan (VK_ERROR_DEVICE_LOST: make a new renderer and import
   * again).
   */
  [[nodiscard]] virtual Result<UniqueFd> compose(RenderTarget& target, std::span<const DrawCommand> commands,
                                                 std::span<const Rect> damage, std::span<UniqueFd> waitFor) = 0;

  /**
   * Has the GPU copy a target's pixels, as they are after what was composed into it until now. Waits for nothing.
   * Refused(ViewPublic) for a protected one, Refused(GpuFormatUnsupported) where the driver does not copy from it; Vulkan.
   */
  [[nodiscard]] virtual Result<std::unique_ptr<Readback>> startReading(const RenderTarget& source) = 0;

  /**
   * Copies pixels of an ordinary texture or target to CPU memory, waiting until the GPU has done so: not for a frame's
   * way. Refused(ViewPublic) for anything protected. `fourcc` as for Readback::read().
   */
  [[nodiscard]] virtual Result<> readPixels(const RenderTarget& source, const Rect& box, uint32_t fourcc,
                                            uint32_t strideBytes, std::span<std::byte> bytes) = 0;
  [[nodiscard]] virtual Result<> readPixels(const Texture& source, const Rect& box, uint32_t fourcc,
                                            uint32_t strideBytes, std::span<std::byte> bytes) = 0;

  /** Waits until everything submitted is done; for tests and for leaving. */
  virtual void waitIdle() = 0;

  /**
   * After VK_ERROR_DEVICE_LOST (isDeviceLost()): makes instance and device anew. Textures and targets of before stay
   * valid objects but are of no use any more: such a texture draws as the placeholder, drawing into such a target is an
   * error. On failure nothing has changed, and it may be called again.
   */
  [[nodiscard]] virtual Result<> recover() = 0;
  /** Counts the devices there have been, from 1: what was made under another generation has to be made again. */
  [[nodiscard]] virtual uint64_t generation() const = 0;

protected:
  Renderer() = default;
};

} // namespace vitrine
