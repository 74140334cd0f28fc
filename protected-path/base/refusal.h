#pragma once

#include <string_view>

#include "protected-path/base/result.h"

namespace vitrine {

/**
 * Every reason for which Vitrine does not do what was asked with a buffer: take a heap, import it, put it on a plane,
 * show it. A refusal is data: logs, JSON reports, clients and tests see the same name and the same words.
 */
enum class Refusal {
  None,

  // heaps
  HeapAbsent,         ///< no heap of the needed class exists
  HeapNoPermission,   ///< the heap's node may not be opened
  HeapExhausted,      ///< the heap has no room now (ENOMEM, ENOSPC)
  HeapRequestInvalid, ///< the heap refuses such a request (EINVAL)
  HeapDenied,         ///< the heap refuses this caller (EPERM)
  HeapFailed,         ///< any other errno
  HeapUnsuitable,     ///< the heap's class is not the one that is needed
  HeapUnproven,       ///< the heap's name says protected, but its buffers can be mapped
  HeapScattered,      ///< the heap gives single pages, and a consumer without an IOMMU needs one piece
  HeapTooSmall,       ///< the heap's pool is smaller than the buffer
  HeapRefused,        ///< a consumer does not take the buffers of this heap
  HeapDisturbs,       ///< taking from it stops the machine for a while: not done to find something out
  ConsumersDisagree,  ///< no content, format or layout suits all who will write or read the buffer

  // buffers
  NotADmabuf,          ///< the fd is not a dma-buf
  SizeInvalid,         ///< zero, or larger than anything can show
  LayoutOutOfBounds,   ///< offset + stride x height passes the buffer's size, or overflows
  StrideTooSmall,      ///< a row does not fit its stride
  PlaneCountWrong,     ///< the format has another number of planes
  FormatUnknown,       ///< no entry in the format table
  ModifierUnsupported, ///< nothing here takes this modifier
  NoMap,               ///< the buffer is no_map and a CPU mapping was asked for
  BufferRefused,       ///< whoever was asked does not take this very buffer
  NotProven,           ///< protected content was meant for a buffer that is not proven to be protected

  // GPU
  GpuAbsent,                ///< no Vulkan device
  GpuNoProtectedMemory,     ///< the Vulkan device lacks protectedMemory
  GpuNoDmabufImport,        ///< the Vulkan device lacks VK_EXT_external_memory_dma_buf
  GpuFormatUnsupported,     ///< the format/modifier cannot be sampled
  GpuImportFailed,          ///< the driver refused the import
  GpuSizeUnsupported,       ///< larger than an image of the Vulkan device may be
  CompositionConfiguredOff, ///< configuration says `plane`: protected content is not composed
  ClaimWithoutEvidence,     ///< claimed protected, no evidence: treated as no_map, so no ordinary import either

  // planes
  PlaneNone,               ///< no plane left
  PlaneFormat,             ///< the plane has not this format
  PlaneModifier,           ///< the plane has not this modifier
  PlaneScaling,            ///< scaling or fractional crop that the plane cannot do
  PlaneTransform,          ///< rotation or reflection that the plane cannot do
  PlaneAlpha,              ///< surface alpha that the plane cannot do
  PlaneEncoding,           ///< colour encoding or range that the plane cannot do
  PlaneBlending,           ///< per-pixel alpha where the plane's place needs opaque content
  PlaneOffScreen,          ///< position that the plane cannot do
  PlaneCovered,            ///< composed content above, and no underlay or no higher plane
  PlaneNotDmabuf,          ///< content is not in a dma-buf (shm, solid colour)
  PlaneFramebufferRefused, ///< the kernel refused the framebuffer (ADDFB2)
  PlaneTestRefused,        ///< TEST_ONLY said no
  PlaneCommitFailed,       ///< TEST_ONLY passed and the real commit failed
  PlaneConfiguredOff,      ///< configuration says `composite`
  PlaneNotWorthIt,         ///< ordinary content that changes too seldom to be worth a plane

  // who may see
  OutputNotAllowed, ///< the output's policy does not allow protected content
  ViewPublic,       ///< this view is readable: capture, mirror, nested or headless output
};

/** Stable name for JSON and tests: `PlaneFormat`. Never null. */
[[nodiscard]] std::string_view refusalName(Refusal refusal);

/** The reason in words: `no plane takes this format`. Empty for None. */
[[nodiscard]] std::string_view refusalWords(Refusal refusal);

/** An Error that carries a refusal; its detail is the refusal's words. */
[[nodiscard]] std::unexpected<Error> refused(Refusal refusal, std::string_view operation, std::string_view object,
                                             std::string_view remedy = {});

/** The refusal that an Error carries, or `otherwise` where it carries none. */
[[nodiscard]] Refusal refusalOf(const Error& error, Refusal otherwise);

} // namespace vitrine
