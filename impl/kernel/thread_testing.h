// For tests on real threads.
#ifndef CANCELSAFE_IMPL_KERNEL_THREAD_TESTING_H_
#define CANCELSAFE_IMPL_KERNEL_THREAD_TESTING_H_

#include <atomic>
#include <thread>
#include <vector>

namespace cancelsafe {

// Runs work(0) to work(count - 1) on threads that start together, to their ends.
template <typename Work>
void OnThreads(int count, Work work) {
  std::atomic<int> waiting{count};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      waiting.fetch_sub(1);
      while (waiting.load() != 0) std::this_thread::yield();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_KERNEL_THREAD_TESTING_H_
