// Batches prepared ahead by threads of their own. What is in batch (epoch, step) depends on the
// source, the seed, the batch size and the augmentation alone: never on the number of threads, how
// far they are ahead, or where the run was resumed.
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
  std::vector<float> pixels{};         ///< (n, h, w, c) in [0, 1]
  std::vector<std::int32_t> labels{};  ///< (n)
  std::vector<std::uint32_t> ids{};    ///< (n), of the samples in the source

  View<const float, cpu> view() const { return {pixels.data(), n, dims, dims.c}; }  // (n, h, w, c)
};

struct LoaderOptions {
  int batch = 128;  ///< samples; the last batch of an epoch has what is left
  std::uint64_t seed = 0;
  std::optional<Augment> augment = Augment{};  ///< nullopt: samples as they are
  bool shuffle = true;                         ///< false: in the source's order
  /// that prepare batches, at most host::max_threads; they are not those of kernels
  int threads = 1;
  int ahead = 3;  ///< batches that are prepared or in preparation while one is in use
};

/// Gives the batches of one epoch after another, without end, from (first_epoch, first_step) on.
/// The source must outlive it, and all calls come from one thread. Destroying it waits for the
/// samples that are being read, not for whole batches. Errors of the constructor: UsageError (an
/// empty source; a batch or ahead below 1; threads not from 1 to host::max_threads; a first step
/// beyond the epoch), StateError (the system does not start so many threads).
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
    first_ = first_epoch * steps_ + first_step;
    slots_.resize(options_.ahead + 1);  // and the one in use
    try {
      for (int k = 0; k < options_.threads; ++k) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      stop();
      throw StateError("Loader: expected to start " + std::to_string(options_.threads) +
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
    if (const auto ready = [&] { return slot.ready && slot.number == taken_; }; !ready()) {
      const auto begin = std::chrono::steady_clock::now();
      ready_.wait(lock, ready);
      waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    if (slot.error) std::rethrow_exception(slot.error);
    ++taken_;
    lock.unlock();
    space_.notify_one();
    return slot.batch;
  }

  long steps_in_epoch() const { return steps_; }
  /// Seconds that next() has waited for batches, in all.
  double waited() const { return waited_; }

 private:
  struct Slot {
    Batch batch;
    long number = -1;
    bool ready = false;
    std::exception_ptr error;
  };
  using Order = std::shared_ptr<const std::vector<std::uint32_t>>;

  /// A thread's life: take the next number, make its batch, until stop().
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      space_.wait(lock, [&] { return stopping_ || claimed_ < taken_ + options_.ahead; });
      if (stopping_) return;
      const long number = claimed_++;
      Slot& slot = slots_[number % slots_.size()];
      slot.ready = false;
      slot.number = number;
      lock.unlock();
      try {
        fill(slot.batch, first_ + number);
      } catch (...) {
        slot.error = std::current_exception();
      }
      lock.lock();
      slot.ready = true;
      lock.unlock();
      ready_.notify_one();
    }
  }

  void fill(Batch& batch, long number) {
    batch.epoch = number / steps_;
    batch.step = number % steps_;
    const std::size_t begin = std::size_t(batch.step) * options_.batch,
                      end = std::min(begin + options_.batch, source_.size());
    batch.n = int(end - begin);
    batch.dims = dims_;
    batch.pixels.resize(batch.n * dims_.count());
    batch.labels.resize(batch.n);
    batch.ids.resize(batch.n);
    const Order order = options_.shuffle ? order_of(batch.epoch) : nullptr;
    for (int i = 0; i < batch.n; ++i) {
      if (stopping_) return;  // nobody will look at it
      const std::uint32_t id = batch.ids[i] =
          order ? (*order)[begin + i] : std::uint32_t(begin + i);
      batch.labels[i] = source_.label(id);
      source_.sample(id, options_.augment ? &*options_.augment : nullptr, options_.seed,
                     batch.epoch, batch.pixels.data() + i * dims_.count());
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
  std::mutex mutex_;  // taken_, claimed_, and which slots are ready
  std::condition_variable space_, ready_;
  long taken_ = 0, claimed_ = 0;  // batches that next() gave out, that threads took up
  std::vector<Slot> slots_;       // batch k is in slot k % size
  std::atomic<bool> stopping_ = false;
  std::mutex order_mutex_;
  std::pair<long, Order> orders_[2];
  double waited_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace rnx::inline RNX_ISA::data
