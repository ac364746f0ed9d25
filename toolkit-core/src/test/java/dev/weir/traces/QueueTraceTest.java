package dev.weir.traces;

import dev.weir.Asyncio;
import dev.weir.sync.AsyncQueue;
import dev.weir.sync.QueueShutDownException;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;

class QueueTraceTest extends TraceTest {
  QueueTraceTest() {
    super("queues");
  }

  void aFullQueueMakesGiversWait() {
    AsyncQueue<Integer> queue = new AsyncQueue<>(2);
    Task<?> giver =
        Asyncio.createTask(() -> {
          for (int i = 0; i < 5; i++) {
            queue.put(i);
            trace("put", i, "size:", queue.size());
          }
        });
    rounds(3);
    for (int i = 0; i < 5; i++) {
      trace("got", queue.get());
      rounds(1);
    }
    giver.await();
  }

  void takersAreServedInTheOrderOfAsking() {
    AsyncQueue<Integer> queue = new AsyncQueue<>();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      tasks.add(
          Asyncio.createTask(() -> {
            trace(name, "got", queue.get());
            trace(name, "got", queue.get());
          }));
    }
    rounds(1);
    for (int i = 0; i < 6; i++) {
      queue.putNowait(i);
    }
    trace("put six");
    tasks.forEach(Task::await);
  }

  void aWokenTakerThatIsCancelledLetsTheNextOneHaveTheItem() {
    AsyncQueue<String> queue = new AsyncQueue<>();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      tasks.add(
          Asyncio.createTask(() -> {
            try {
              trace(name, "got", queue.get());
            } catch (CancelledError e) {
              trace(name, "cancelled, size:", queue.size());
              throw e;
            }
          }));
    }
    rounds(1);
    queue.putNowait("item");
    tasks.getFirst().cancel();
    Asyncio.wait(tasks);
    trace("size:", queue.size());
  }

  void aWokenGiverThatIsCancelledLetsTheNextOnePut() {
    AsyncQueue<String> queue = new AsyncQueue<>(1);
    queue.putNowait("first");
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      tasks.add(
          Asyncio.createTask(() -> {
            queue.put(name);
            trace(name, "put");
          }));
    }
    rounds(1);
    trace("got", queue.getNowait());
    tasks.getFirst().cancel();
    Asyncio.wait(tasks);
    trace("got", queue.getNowait(), "size:", queue.size());
  }

  void aWokenTakerThatFindsNothingWaitsAgainAtTheEnd() {
    AsyncQueue<Integer> queue = new AsyncQueue<>();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      tasks.add(Asyncio.createTask(() -> trace(name, "got", queue.get())));
    }
    rounds(1);
    queue.putNowait(1);
    trace("main got", queue.getNowait());
    rounds(2);
    queue.putNowait(2);
    queue.putNowait(3);
    tasks.forEach(Task::await);
  }

  void joinReturnsWhenEverythingWasDealtWith() {
    AsyncQueue<Integer> queue = new AsyncQueue<>();
    for (int i = 0; i < 3; i++) {
      queue.putNowait(i);
    }
    List<Task<Void>> workers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      workers.add(
          Asyncio.createTask(() -> {
            while (true) {
              int item = queue.get();
              rounds(2);
              trace("done with", item);
              queue.taskDone();
            }
          }));
    }
    queue.join();
    trace("joined");
    workers.forEach(Task::cancel);
    Asyncio.wait(workers);
    queue.join();
    trace("joined at once");
  }

  void theSmallestAndTheNewestComeFirst() {
    drain("priority", AsyncQueue.priority());
    drain("lifo", AsyncQueue.lifo());
  }

  private void drain(String name, AsyncQueue<Integer> queue) {
    Task<?> giver =
        Asyncio.createTask(() -> {
          for (int item : new int[] {3, 1, 2}) {
            queue.put(item);
          }
          rounds(1);
          queue.put(0);
          queue.put(4);
        });
    trace(name, "got", queue.get());
    giver.await();
    while (!queue.empty()) {
      trace(name, "got", queue.get());
    }
  }

  void aShutdownLetsTheRestBeTakenAndWakesWhoWaits() {
    AsyncQueue<String> queue = new AsyncQueue<>(1);
    List<Task<Void>> givers = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      givers.add(
          Asyncio.createTask(() -> {
            try {
              queue.put(name);
              trace(name, "put");
            } catch (QueueShutDownException e) {
              trace(name, "refused");
            }
          }));
    }
    rounds(1);
    queue.shutdown();
    trace("shut down");
    Asyncio.wait(givers);
    try {
      while (true) {
        trace("taker", "got", queue.get());
      }
    } catch (QueueShutDownException e) {
      trace("taker", "ends");
    }
  }

  void anImmediateShutdownDropsTheRest() {
    AsyncQueue<Integer> queue = new AsyncQueue<>();
    List<Task<Void>> takers = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      takers.add(
          Asyncio.createTask(() -> {
            try {
              trace(name, "got", queue.get());
              rounds(3);
              queue.get();
            } catch (QueueShutDownException e) {
              trace(name, "ends");
            }
          }));
    }
    rounds(1);
    for (int i = 0; i < 4; i++) {
      queue.putNowait(i);
    }
    Task<?> joining =
        Asyncio.createTask(() -> {
          queue.join();
          trace("joined");
        });
    rounds(1);
    queue.shutdown(true);
    trace("shut down, size:", queue.size());
    Asyncio.wait(takers);
    for (int i = 0; i < 2; i++) {
      queue.taskDone();
    }
    trace("dealt with");
    joining.await();
  }
}
