import Dispatch
import Endpoints
import JSON
import NIOCore
import Testing

@Suite struct LongAnswerTests {
    /// An executor with one thread, as the one of requests.
    private final class OneThread: TaskExecutor {
        private let queue = DispatchQueue(label: "requests")

        /// True in a task that runs here.
        var isCurrent: Bool { withUnsafeCurrentTask { $0?.unownedTaskExecutor == asUnownedTaskExecutor() } }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }

    @Test func `a long answer is not written by the thread that answers requests`() async {
        let executor = OneThread()
        let (answer, isBack) = await withTaskExecutorPreference(executor) {
            let answer = await EndpointResponse.long { $0.value(executor.isCurrent) }
            return (answer, executor.isCurrent)
        }
        #expect(answer.body.map { String(buffer: $0) } == "false")
        #expect(isBack)
    }
}
