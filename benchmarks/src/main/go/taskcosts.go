// What TaskCosts measures, as Go's users would write it: goroutines, channels, contexts.
// Prints a line for each: name, value, unit.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const sleepers = 100_000

// perOperation runs batches for about a second after a warm-up of the same length.
func perOperation(name string, batch func(n int)) {
	const n = 10_000
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		batch(n)
	}
	operations := 0
	begin := time.Now()
	for time.Since(begin) < time.Second {
		batch(n)
		operations += n
	}
	fmt.Printf("%s %.4f us\n", name, float64(time.Since(begin).Nanoseconds())/1000/float64(operations))
}

func spawnAndAwait(n int) {
	for i := 0; i < n; i++ {
		done := make(chan struct{})
		go func() { close(done) }()
		<-done
	}
}

func queuePingPong(n int) {
	there, back := make(chan int, 1), make(chan int, 1)
	go func() {
		for i := 0; i < n; i++ {
			back <- <-there
		}
	}()
	for i := 0; i < n; i++ {
		there <- i
		<-back
	}
}

func timeoutScope(n int) {
	for i := 0; i < n; i++ {
		_, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		cancel()
	}
}

func sleepAll() {
	var all sync.WaitGroup
	all.Add(sleepers)
	for i := 0; i < sleepers; i++ {
		go func() {
			time.Sleep(time.Second)
			all.Done()
		}()
	}
	all.Wait()
}

func main() {
	perOperation("spawnAndAwait", spawnAndAwait)
	perOperation("queuePingPong", queuePingPong)
	perOperation("timeoutScope", timeoutScope)
	sleepAll()
	begin := time.Now()
	sleepAll()
	fmt.Printf("sleepers %.4f s\n", time.Since(begin).Seconds())
}
