#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "protected-path/base/unique_fd.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/render/device_report.h"
#include "protected-path/render/draw_command.h"

namespace vitrine {

/** Whether an error says that the GPU was reset (VK_ERROR_DEVICE_LOST). Everything on it is gone then. */
[[nodiscard]] bool isDeviceLost(const Error& error);

/**
 * Something to sample: an imported dma-buf or an upload. A buffer that the GPU may not import has a texture too
 * (`isPlaceholder()`): it has a size and draws as the placeholder.
 */
class Texture {
public:
  virtual ~Texture() = default;
  [[nodiscard]] Size size() const { return size_; }
  [[nodiscard]] uint32_t fourcc() const { return fourcc_; }
  [[nodiscard]] bool isPlaceholder() const { return refusal_ != Refusal::None; }
  /** Why it is a placeholder, or None. */
  [[nodiscard]] Refusal refusal() const { return refusal_; }
  [[nodiscard]] bool protectedContent() const { return protectedContent_; }
  /**
   * The upload was lost because a later call failed. The texture draws as the placeholder and must be uploaded again.
   */
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

/** A copy of a target's pixels on its way to CPU memory. Later passes do not change it. */
class Readback {
public:
  virtual ~Readback() = default;
  /** Sync file that signals when the pixels are there; -1: they already are. Borrowed. */
  [[nodiscard]] int done() const { return done_.get(); }
  /**
   * Copies the pixels of `box` to `bytes`, in rows `strideBytes` apart. Call it only after done() has signalled.
   * `fourcc`: ARGB8888, XRGB8888, ABGR8888 or XBGR8888. Errors: Refused(GpuFormatUnsupported, SizeInvalid,
   * StrideTooSmall, LayoutOutOfBounds).
   */
  [[nodiscard]] virtual Result<> read(const Rect& box, uint32_t fourcc, uint32_t strideBytes,
                                      std::span<std::byte> bytes) const = 0;

protected:
  explicit Readback(UniqueFd done) : done_(std::move(done)) {}
  UniqueFd done_;
};

/** How a YCbCr dma-buf is sampled. Both give the same pixels; vulkan/format_support.h says which is better when. */
enum class YccImport : uint8_t {
  PlaneByPlane, ///< one image for each colour plane
  OneImage,     ///< one multi-planar image, through a VkSamplerYcbcrConversion
};

struct RendererCounters {
  uint64_t submits = 0;     ///< vkQueueSubmit* of any kind
  uint64_t imports = 0;     ///< dma-buf memory imports asked of the driver: one for each image, so one or two for NV12
  uint64_t allocations = 0; ///< vkAllocateMemory that succeeded
  uint64_t pipelines = 0;   ///< vkCreateGraphicsPipelines
  uint64_t pixelsDrawn = 0; ///< sum of the clipped areas of all passes
  uint64_t placeholdersDrawn = 0;
  uint64_t validationMessages = 0; ///< warnings and errors of the validation layer; 0 without it

  RendererCounters& operator+=(const RendererCounters& other);
};

/**
 * Composes with the GPU (vulkan/), or on the CPU of a machine without one (pixman/). Display and renderer may be different devices.
 *
 * R1 is enforced in compose(), below all code that could forget it: a pass into an unprotected target draws the
 * placeholder for every texture with protected content. The CPU waits for no fence: the GPU waits for acquire fences,
 * and completion is returned as a sync file. Thread: one.
 */
class Renderer {
public:
  struct Options {
    /** VK_LAYER_KHRONOS_validation with synchronisation checks. Its messages go to the logger `vulkan`. */
    bool validation = false;
    dev_t displayDevice = 0; ///< the display's device number: its own GPU is preferred; 0: not known
    std::string deviceName;  ///< only devices whose name contains this; empty: the best device
    /**
     * For tests: import YCbCr dma-bufs only this way, or refuse them. Empty: the best way for each format and modifier.
     */
    std::optional<YccImport> yccImport;
  };

  /**
   * pixman if there is no render node in /dev/dri and no `deviceName`: no Vulkan driver is loaded. Otherwise Vulkan, with these errors:
   * Refused(GpuAbsent) if no device can compose (the text lists each device with what it lacks); Missing if the Vulkan loader
   * or the validation layer is absent; Vulkan if a call fails.
   */
  [[nodiscard]] static Result<std::unique_ptr<Renderer>> create(const Options& options);
  virtual ~Renderer() = default;

  [[nodiscard]] virtual const VulkanDeviceReport& device() const = 0;
  [[nodiscard]] virtual const RendererCounters& counters() const = 0;
  /** Formats × modifiers of dma-bufs that can be sampled. */
  [[nodiscard]] virtual std::span<const FormatModifier> sampledFormats() const = 0;
  /** Formats × modifiers of dma-bufs that can be drawn into. */
  [[nodiscard]] virtual std::span<const FormatModifier> targetFormats() const = 0;
  /** shm formats that upload() takes. ARGB8888 and XRGB8888 are always among them. */
  [[nodiscard]] virtual std::span<const uint32_t> uploadFormats() const = 0;

  /**
   * Imports a dma-buf to sample; `buffer` must outlive the texture. A no_map buffer that this device may not import is no error: it becomes a placeholder
   * texture with its reason, and the driver is not asked. If the driver refuses a YCbCr buffer, the other way of
   * importing it is tried, if its format and modifier have one. Errors: Refused(GpuFormatUnsupported, GpuImportFailed),
   * as the best way was refused; Vulkan for a lost device, exhausted memory, or textures that have three quarters of the
   * driver's memory allocations.
   */
  [[nodiscard]] virtual Result<std::unique_ptr<Texture>> import(const Dmabuf& buffer) = 0;

  /** A texture from CPU memory: `bytes` of rows `strideBytes` apart. They are copied before it returns. */
  [[nodiscard]] virtual Result<std::unique_ptr<Texture>> upload(Size size, uint32_t fourcc, uint32_t strideBytes,
                                                                std::span<const std::byte> bytes) = 0;
  /** Replaces the regions `changed` of an uploaded texture. Size and format must be the same; the stride may differ. */
  [[nodiscard]] virtual Result<> update(Texture& texture, uint32_t strideBytes, std::span<const std::byte> bytes,
                                        std::span<const Rect> changed) = 0;

  /**
   * Imports a dma-buf to draw into, and to read back if it is ordinary memory; `buffer` must outlive the target. Its evidence decides whether it is a
   * protected target. Errors: Refused(GpuNoProtectedMemory, ClaimWithoutEvidence, GpuFormatUnsupported,
   * GpuImportFailed; LayoutOutOfBounds if it has too few rows for device().targetRowMultiple); Vulkan for a lost device
   * or exhausted memory.
   */
  [[nodiscard]] virtual Result<std::unique_ptr<RenderTarget>> importTarget(const Dmabuf& buffer) = 0;

  /**
   * Draws `commands` in order, only inside `damage` (disjoint boxes, target pixels). The GPU waits for the sync files
   * `waitFor`, which are consumed. Returns a sync file that signals when the pass is done; an invalid fd means that it
   * already is (drivers on the CPU do that). Error: Vulkan; after VK_ERROR_DEVICE_LOST call recover() and import again.
   */
  [[nodiscard]] virtual Result<UniqueFd> compose(RenderTarget& target, std::span<const DrawCommand> commands,
                                                 std::span<const Rect> damage, std::span<UniqueFd> waitFor) = 0;

  /**
   * Makes the GPU copy a target's pixels after all passes that were composed into it so far. Does not wait. Errors:
   * Refused(ViewPublic) for a protected target; Refused(GpuFormatUnsupported) if the driver cannot copy from it;
   * Vulkan.
   */
  [[nodiscard]] virtual Result<std::unique_ptr<Readback>> startReading(const RenderTarget& source) = 0;

  /**
   * Copies pixels of an ordinary target to CPU memory and waits for the GPU, so it has no place in a frame. Errors:
   * Refused(ViewPublic) for a protected target; otherwise as startReading() and Readback::read().
   */
  [[nodiscard]] virtual Result<> readPixels(const RenderTarget& source, const Rect& box, uint32_t fourcc,
                                            uint32_t strideBytes, std::span<std::byte> bytes) = 0;
  /** The same for an ordinary texture. */
  [[nodiscard]] virtual Result<> readPixels(const Texture& source, const Rect& box, uint32_t fourcc,
                                            uint32_t strideBytes, std::span<std::byte> bytes) = 0;

  /**
   * Creates one pipeline that a later import or importTarget() of the listed formats would have to create, which may take tens of
   * milliseconds. For a time without anything to draw, after the first importTarget(). False: there is none left, or the driver
   * failed, which is logged.
   */
  [[nodiscard]] virtual bool prepare() = 0;

  /** Waits until the GPU is done with everything submitted. For tests and for shutting down. */
  virtual void waitIdle() = 0;

  /**
   * Creates instance and device again after VK_ERROR_DEVICE_LOST (isDeviceLost()). Older textures and targets stay
   * valid objects, but such a texture draws as the placeholder, and drawing into such a target is an error. A failed
   * call changes nothing and may be repeated.
   */
  [[nodiscard]] virtual Result<> recover() = 0;
  /** Number of the current device, from 1. Textures and targets of another generation must be imported again. */
  [[nodiscard]] virtual uint64_t generation() const = 0;

protected:
  Renderer() = default;
};

} // namespace vitrine
