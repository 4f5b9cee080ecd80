// Batches prepared ahead by threads of their own. What is in batch (epoch, step) depends on the
// source, the seed, the batch size and the augmentations alone: never on the number of threads, how
// far they are ahead, or where the run was resumed. A batch may hold its samples several times, as
// views that other augmentations make of them; view k does not depend on the views behind it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "rnx/data/source.hpp"
#include "rnx/kernels/cpu/parallel.hpp"
#include "rnx/tensor/view.hpp"

namespace rnx::inline RNX_ISA::data {

struct Batch {
  long epoch = 0, step = 0;  ///< of the batch: step counts from 0 in each epoch
  int n = 0;
  Dims dims{};
  std::vector<std::vector<float>> views{};  ///< one per augmentation, (n, h, w, c) in [0, 1]
  std::vector<std::int32_t> labels{};       ///< (n), no_label where a sample has none
  std::vector<std::uint32_t> ids{};         ///< (n), of the samples in the source

  /// (n, h, w, c)
  View<const float, cpu> view(std::size_t k = 0) const {
    return {views.at(k).data(), n, dims, dims.c};
  }
};

struct LoaderOptions {
  int batch = 128;  ///< samples; the last batch of an epoch has what is left
  std::uint64_t seed = 0;
  /// one for each view of a batch; an empty one leaves samples as they are
  std::vector<Augment> views{crop_and_flip()};
  bool shuffle = true;  ///< false: in the source's order
  /// for each view, that prepare batches, at most host::max_threads in all; they are not those of
  /// kernels
  int threads = 1;
  int ahead = 3;  ///< batches that are prepared or in preparation while one is in use
};

/// Gives the batches of one epoch after another, without end, from (first_epoch, first_step) on.
/// The source must outlive it, and all calls come from one thread. Destroying it waits for the
/// samples that are being read, not for whole batches. Errors of the constructor: UsageError (an
/// empty source; no view, or one whose augmentation cannot work on the source's samples; a batch or
/// ahead below 1; threads not from 1 to host::max_threads; a first step beyond the epoch),
/// StateError (the system does not start so many threads).
class Loader {
 public:
  Loader(const Source& source, LoaderOptions options, long first_epoch = 0, long first_step = 0)
      : source_(source),
        options_(options),
        dims_(source.dims()) {
    const auto expect = [](const char* what, long least, long found) {
      require(found >= least, [&] {
        return "Loader: expected " + std::string(what) + " of at least " + std::to_string(least) +
               ", found " + std::to_string(found);
      });
    };
    expect("a batch", 1, options_.batch);
    expect("ahead", 1, options_.ahead);
    expect("a number of views", 1, long(options_.views.size()));
    host::check_threads("Loader: expected threads", options_.threads);
    require(source_.size() > 0 && source_.size() <= UINT32_MAX, [&] {
      return "Loader: expected from 1 to 2^32 - 1 samples, found " + std::to_string(source_.size());
    });
    steps_ = long((source_.size() - 1) / options_.batch + 1);
    expect("a first epoch", 0, first_epoch);
    expect("a first step", 0, first_step);
    require(first_step <= steps_, [&] {
      return "Loader: expected a first step of at most " + std::to_string(steps_) +
             ", the steps of an epoch, found " + std::to_string(first_step);
    });
    for (const Augment& augment : options_.views) augment.check(dims_);
    first_ = first_epoch * steps_ + first_step;
    slots_.resize(options_.ahead + 1);  // and the one in use
    for (Slot& slot : slots_) reserve(slot.batch);
    const auto count =
        std::min<std::size_t>(options_.threads * options_.views.size(), host::max_threads);
    try {
      while (threads_.size() < count) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      stop();
      throw StateError("Loader: expected to start " + std::to_string(count) +
                       " threads, the system started " + std::to_string(threads_.size()) + ": " +
                       error.code().message());
    }
  }
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  ~Loader() { stop(); }

  /// The next batch, valid until the next call. Errors: those of Source::sample, at the batch that
  /// could not be made, and again at every later call.
  const Batch& next() {
    std::unique_lock lock(mutex_);
    Slot& slot = slots_[taken_ % slots_.size()];
    if (const auto ready = [&] { return slot.number == taken_ && slot.left == 0; }; !ready()) {
      const auto begin = std::chrono::steady_clock::now();
      ready_.wait(lock, ready);
      waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    if (slot.error) std::rethrow_exception(slot.error);
    ++taken_;
    lock.unlock();
    space_.notify_all();  // threads share the samples of a batch
    return slot.batch;
  }

  long steps_in_epoch() const { return steps_; }
  /// Seconds that next() has waited for batches, in all.
  double waited() const { return waited_; }

 private:
  struct Slot {
    Batch batch;
    long number = -1;
    int left = 0;  ///< pieces that are not finished
    int error_piece = 0;
    std::exception_ptr error;  ///< of the first piece that has one
  };
  using Order = std::shared_ptr<const std::vector<std::uint32_t>>;
  static constexpr int piece = 16;  // samples that a thread takes at once

  /// A thread's life: take the next samples of the batch that is begun, until stop().
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      space_.wait(lock, [&] { return stopping_ || claimed_ < taken_ + options_.ahead; });
      if (stopping_) return;
      Slot& slot = slots_[claimed_ % slots_.size()];
      const int first = next_;
      if (first == 0) begin(slot, claimed_);
      next_ = first + piece < slot.batch.n ? first + piece : 0;
      claimed_ += next_ == 0;
      lock.unlock();
      std::exception_ptr error;
      try {
        fill(slot.batch, first);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      if (error && (!slot.error || first < slot.error_piece)) {
        slot.error = error;
        slot.error_piece = first;
      }
      if (--slot.left > 0) continue;
      lock.unlock();
      ready_.notify_one();
    }
  }

  /// Room for the largest batch: threads allocate nothing.
  void reserve(Batch& batch) {
    const auto n = std::min<std::size_t>(options_.batch, source_.size());
    batch.views.resize(options_.views.size());
    for (std::vector<float>& view : batch.views) view.reserve(n * dims_.count());
    batch.labels.reserve(n);
    batch.ids.reserve(n);
  }

  /// Says which batch a slot is for.
  void begin(Slot& slot, long number) {
    Batch& batch = slot.batch;
    batch.epoch = (first_ + number) / steps_;
    batch.step = (first_ + number) % steps_;
    const std::size_t begin = std::size_t(batch.step) * options_.batch;
    batch.n = int(std::min<std::size_t>(options_.batch, source_.size() - begin));
    batch.dims = dims_;
    for (std::vector<float>& view : batch.views) view.resize(batch.n * dims_.count());
    batch.labels.resize(batch.n);
    batch.ids.resize(batch.n);
    slot.number = number;
    slot.left = (batch.n - 1) / piece + 1;
    slot.error = nullptr;
  }

  /// A piece of the batch, from its sample `first` on.
  void fill(Batch& batch, int first) {
    const std::size_t begin = std::size_t(batch.step) * options_.batch;
    const Order order = options_.shuffle ? order_of(batch.epoch) : nullptr;
    std::vector<float*> out(options_.views.size());
    for (int i = first; i < std::min(first + piece, batch.n); ++i) {
      if (stopping_) return;  // nobody will look at it
      const std::uint32_t id = batch.ids[i] =
          order ? (*order)[begin + i] : std::uint32_t(begin + i);
      batch.labels[i] = source_.label(id);
      for (std::size_t k = 0; k < out.size(); ++k)
        out[k] = batch.views[k].data() + i * dims_.count();
      source_.views(id, options_.views,
                    {.seed = options_.seed, .epoch = std::uint64_t(batch.epoch)}, out);
    }
  }

  /// Two are kept: at the end of an epoch, threads work on both sides.
  Order order_of(long epoch) {
    const std::lock_guard lock(order_mutex_);
    auto& [of, order] = orders_[epoch % 2];
    if (!order || of != epoch) {
      order = std::make_shared<const std::vector<std::uint32_t>>(
          epoch_order(source_.size(), options_.seed, epoch));
      of = epoch;
    }
    return order;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    space_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  const Source& source_;
  const LoaderOptions options_;
  const Dims dims_;
  long steps_ = 0, first_ = 0;
  std::mutex mutex_;  // taken_, claimed_, next_, and what slots hold beside batches
  std::condition_variable space_, ready_;
  long taken_ = 0, claimed_ = 0;  // batches that next() gave out, that threads took up
  int next_ = 0;                  // sample of batch claimed_ (0: it is not begun)
  std::vector<Slot> slots_;       // batch k is in slot k % size
  std::atomic<bool> stopping_ = false;
  std::mutex order_mutex_;
  std::pair<long, Order> orders_[2];
  double waited_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace rnx::inline RNX_ISA::data
