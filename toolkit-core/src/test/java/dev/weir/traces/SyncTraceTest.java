package dev.weir.traces;

import dev.weir.Asyncio;
import dev.weir.sync.AsyncBarrier;
import dev.weir.sync.AsyncCondition;
import dev.weir.sync.AsyncEvent;
import dev.weir.sync.AsyncLock;
import dev.weir.sync.AsyncSemaphore;
import dev.weir.sync.BrokenBarrierException;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import java.util.ArrayList;
import java.util.List;

class SyncTraceTest extends TraceTest {
  SyncTraceTest() {
    super("sync");
  }

  private void holds(AsyncLock lock, String name, int waits) {
    try (var _ = lock.hold()) {
      holdsAndLetsGo(name, waits);
    }
  }

  private void holds(AsyncSemaphore semaphore, String name, int waits) {
    try (var _ = semaphore.hold()) {
      holdsAndLetsGo(name, waits);
    }
  }

  private void holdsAndLetsGo(String name, int waits) {
    trace(name, "holds it");
    rounds(waits);
    trace(name, "lets go");
  }

  void aLockIsTakenInTheOrderOfAsking() {
    AsyncLock lock = new AsyncLock();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      tasks.add(Asyncio.createTask(() -> holds(lock, name, 2)));
    }
    tasks.forEach(Task::await);
    trace("locked:", lock.locked());
  }

  void aNewcomerDoesNotOvertakeTheTaskThatWasWoken() {
    AsyncLock lock = new AsyncLock();
    lock.acquire();
    Task<?> a = Asyncio.createTask(() -> holds(lock, "a", 1));
    rounds(1);
    lock.release();
    trace("released, locked:", lock.locked());
    Task<?> b = Asyncio.createTask(() -> holds(lock, "b", 0));
    holds(lock, "main", 0);
    a.await();
    b.await();
  }

  void aWokenWaiterThatIsCancelledHandsTheLockOn() {
    AsyncLock lock = new AsyncLock();
    lock.acquire();
    Task<?> a =
        Asyncio.createTask(() -> {
          try {
            holds(lock, "a", 0);
          } catch (CancelledError e) {
            trace("a cancelled, locked:", lock.locked());
            throw e;
          }
        });
    Task<?> b = Asyncio.createTask(() -> holds(lock, "b", 0));
    rounds(1);
    lock.release();
    a.cancel();
    Asyncio.wait(List.of(a, b));
    trace("a cancelled:", a.cancelled(), "locked:", lock.locked());
  }

  void anEventThatIsSetAndClearedAtOnceStillWakes() {
    AsyncEvent event = new AsyncEvent();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      tasks.add(
          Asyncio.createTask(() -> {
            event.await();
            trace(name, "woken, set:", event.isSet());
            event.await();
            trace(name, "again, set:", event.isSet());
          }));
    }
    rounds(1);
    event.set();
    event.clear();
    trace("set and cleared");
    rounds(2);
    event.set();
    tasks.forEach(Task::await);
  }

  void aConditionWakesInOrderOnceItsLockIsFree() {
    AsyncCondition condition = new AsyncCondition();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b", "c", "d")) {
      tasks.add(
          Asyncio.createTask(() -> {
            try (var _ = condition.hold()) {
              trace(name, "waits");
              condition.await();
              trace(name, "goes on");
              rounds(1);
              trace(name, "ends");
            }
          }));
    }
    rounds(2);
    try (var _ = condition.hold()) {
      condition.signal(2);
      trace("notified two");
      rounds(2);
      trace("lets go");
    }
    rounds(6);
    try (var _ = condition.hold()) {
      condition.signalAll();
      trace("notified all");
    }
    tasks.forEach(Task::await);
  }

  void aNotifiedWaiterThatIsCancelledPassesTheNotificationOn() {
    AsyncCondition condition = new AsyncCondition();
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      tasks.add(
          Asyncio.createTask(() -> {
            try (var _ = condition.hold()) {
              try {
                condition.await();
                trace(name, "notified");
              } catch (CancelledError e) {
                trace(name, "cancelled, locked:", condition.locked());
                throw e;
              }
            }
          }));
    }
    rounds(2);
    try (var _ = condition.hold()) {
      condition.signal();
      rounds(1);
      tasks.getFirst().cancel();
      trace("a notified and cancelled");
    }
    Asyncio.wait(tasks);
    trace("a cancelled:", tasks.getFirst().cancelled());
  }

  void aCancelledWaiterHasTheLockAgainBeforeItGoes() {
    AsyncCondition condition = new AsyncCondition();
    Task<?> task =
        Asyncio.createTask(() -> {
          try (var _ = condition.hold()) {
            try {
              condition.await();
            } finally {
              trace("waiter goes, locked:", condition.locked());
            }
          }
        });
    rounds(1);
    try (var _ = condition.hold()) {
      task.cancel("one");
      rounds(2);
      task.cancel("two");
      rounds(2);
      trace("main lets go");
    }
    try {
      task.await();
    } catch (CancelledError e) {
      trace("cancelled:", e.getMessage());
    }
  }

  void aSemaphoreAdmitsAsManyAsItHasPermits() {
    AsyncSemaphore semaphore = new AsyncSemaphore(2);
    List<Task<Void>> tasks =
        List.of(
            Asyncio.createTask(() -> holds(semaphore, "a", 3)),
            Asyncio.createTask(() -> holds(semaphore, "b", 1)),
            Asyncio.createTask(() -> holds(semaphore, "c", 1)),
            Asyncio.createTask(() -> holds(semaphore, "d", 1)));
    tasks.forEach(Task::await);
    trace("locked:", semaphore.locked());
  }

  void aCancelledWaiterGivesItsPermitBack() {
    AsyncSemaphore semaphore = new AsyncSemaphore(0);
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      tasks.add(Asyncio.createTask(() -> holds(semaphore, name, 1)));
    }
    rounds(1);
    semaphore.release();
    semaphore.release();
    tasks.getFirst().cancel();
    trace("released two, cancelled a");
    Asyncio.wait(tasks);
    trace("locked:", semaphore.locked());
  }

  void aBarrierLetsAllGoWhenTheLastHasCome() {
    AsyncBarrier barrier = new AsyncBarrier(3);
    List<Task<Void>> tasks = new ArrayList<>();
    int[] waits = {0, 1, 2, 2, 3, 4};
    for (int i = 0; i < waits.length; i++) {
      String name = String.valueOf((char) ('a' + i));
      int before = waits[i];
      tasks.add(
          Asyncio.createTask(() -> {
            rounds(before);
            trace(name, "comes, waiting:", barrier.waiting());
            int index = barrier.await();
            trace(name, "goes with", index);
          }));
    }
    tasks.forEach(Task::await);
    trace("waiting:", barrier.waiting());
  }

  void aBarrierThatIsResetBreaksForThoseWhoWaitOnly() {
    AsyncBarrier barrier = new AsyncBarrier(3);
    List<Task<Void>> tasks = new ArrayList<>();
    for (String name : List.of("a", "b")) {
      tasks.add(Asyncio.createTask(() -> party(barrier, name)));
    }
    rounds(2);
    barrier.reset();
    trace("reset, broken:", barrier.broken());
    for (String name : List.of("c", "d", "e")) {
      tasks.add(Asyncio.createTask(() -> party(barrier, name)));
    }
    Asyncio.wait(tasks);
    barrier.abort();
    trace("aborted, broken:", barrier.broken());
    party(barrier, "f");
    barrier.reset();
    trace("reset, broken:", barrier.broken());
  }

  private void party(AsyncBarrier barrier, String name) {
    try {
      trace(name, "goes with", barrier.await());
    } catch (BrokenBarrierException e) {
      trace(name, "broken");
    }
  }

  void aPartyThatIsCancelledDoesNotCount() {
    AsyncBarrier barrier = new AsyncBarrier(2);
    Task<Void> a = Asyncio.createTask(() -> party(barrier, "a"));
    rounds(2);
    a.cancel();
    Asyncio.wait(List.of(a));
    trace("waiting:", barrier.waiting());
    Asyncio.wait(
        List.of(
            Asyncio.createTask(() -> party(barrier, "b")),
            Asyncio.createTask(() -> party(barrier, "c"))));
  }
}
