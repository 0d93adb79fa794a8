import FoundationEssentials
import Testing

@testable import Fence

/// The course of a change, each rule with the attack that it stops (decision 0014, rules 22 to 32).
@Suite struct FencedChangeTests {
    private func seconds(_ seconds: Double) -> Moment { Moment(nanoseconds: Int64(seconds * 1_000_000_000)) }

    private func id(_ course: FencedChange) -> UUID? {
        switch course.step {
        case .insert(let id), .wait(let id, _), .removeSilentNodes(let id), .lift(let id): id
        case .commit, .finished: nil
        }
    }

    /// Returns a course whose fence is inserted and acknowledged.
    private func ready() -> FencedChange {
        var course = FencedChange(times: FenceTimes(trust: .milliseconds(2500)))
        course.inserted(at: seconds(1))
        course.acknowledged()
        return course
    }

    @Test func `a change fences, waits, commits, lifts and returns`() throws {
        var course = FencedChange(times: FenceTimes(trust: .milliseconds(2500)))
        let fence = try #require(id(course))
        #expect(course.step == .insert(fence))
        course.inserted(at: seconds(1))
        #expect(course.step == .wait(fence, until: seconds(4)))
        course.acknowledged()
        #expect(course.step == .commit)
        course.committed()
        #expect(course.step == .lift(fence))
        course.lifted(wasStanding: true)
        #expect(course.step == .finished(.completed))
    }

    // Attack: the change returns while a node serves its entry, or a lease is granted between the start of the wait and the fence.
    @Test func `22, 23: without acknowledgements a change waits 3 s from the commit of its fence`() throws {
        var course = FencedChange(times: FenceTimes(trust: .milliseconds(2500)))
        let fence = try #require(id(course))
        course.passed(to: seconds(100))
        #expect(course.step == .insert(fence))
        course.inserted(at: seconds(1))
        course.passed(to: seconds(3.999))
        #expect(course.step == .wait(fence, until: seconds(4)))
        course.committed()
        #expect(course.step == .wait(fence, until: seconds(4)))
        course.passed(to: seconds(4))
        // 24: the rows of silent nodes are deleted before the change.
        #expect(course.step == .removeSilentNodes(fence))
        course.removedSilentNodes()
        #expect(course.step == .commit)
    }

    // Attack: a read between lift and commit is stored.
    @Test func `25: nothing is lifted before the commit`() {
        var course = ready()
        course.lifted(wasStanding: true)
        #expect(course.step == .commit)
    }

    // Attack: the mutator gives up its fence, the COMMIT that hung on a standby ends, and the change returns.
    @Test func `26, 27: a fence whose change has an unknown outcome is not lifted`() {
        var course = ready()
        course.commitUnknown()
        #expect(course.step == .finished(.unknown))
    }

    // Attack: the mutator slept, its fence expired, and an old read was stored before the commit.
    @Test func `28: a fence that is gone is inserted once more with a new id, without a second commit`() throws {
        var course = FencedChange(times: FenceTimes(trust: .milliseconds(2500)))
        let first = try #require(id(course))
        course.inserted(at: seconds(1))
        course.acknowledged()
        course.committed()
        course.lifted(wasStanding: false)
        let second = try #require(id(course))
        #expect(first != second)
        #expect(course.step == .insert(second))
        course.inserted(at: seconds(50))
        course.acknowledged()
        #expect(course.step == .lift(second))
        var lucky = course
        lucky.lifted(wasStanding: true)
        #expect(lucky.step == .finished(.completed))
        course.lifted(wasStanding: false)
        #expect(course.step == .finished(.unknown))
    }

    // Attack: the failover brings back a fence that had expired, and nodes have lifted it.
    @Test func `29: a fence whose session has ended counts as gone`() throws {
        var course = ready()
        course.lostSession()
        #expect(course.step == .commit)
        course.committed()
        let first = try #require(id(course))
        course.lostSession()
        let second = try #require(id(course))
        #expect(first != second)
        course.lostSession()
        #expect(course.step == .finished(.unknown))
    }

    @Test func `a change without a fence is not started`() {
        for progress in 0..<3 {
            var course = FencedChange(times: FenceTimes(trust: .milliseconds(2500)))
            if progress > 0 { course.inserted(at: seconds(1)) }
            if progress > 1 { course.passed(to: seconds(9)) }
            course.lostSession()
            #expect(course.step == .finished(.notStarted))
        }
    }

    @Test func `a change that was rolled back is refused at once, and names the fence that is lifted afterwards`()
        throws
    {
        var course = FencedChange(times: FenceTimes(trust: .milliseconds(2500)))
        let fence = try #require(id(course))
        course.inserted(at: seconds(1))
        course.acknowledged()
        course.rolledBack()
        for _ in 0..<2 {
            #expect(course.step == .finished(.refused(lifting: fence)))
            course.lifted(wasStanding: false)
            course.lostSession()
        }
    }
}
