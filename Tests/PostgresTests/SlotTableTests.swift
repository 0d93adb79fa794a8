import Postgres
import Testing

/// The numbers under which a reactor knows its handlers.
@Suite struct SlotTableTests {
    // An event of a socket that was closed can arrive after another handler took its slot.
    @Test func `the number of a removed element never finds the element that took its slot`() {
        var table = SlotTable<String>()
        let first = table.reserve()
        table[first] = "first"
        table.remove(first)
        let second = table.reserve()
        table[second] = "second"
        #expect(first != second)
        #expect(table[first] == nil)
        #expect(table[second] == "second")
        table[first] = "late"
        table.remove(first)
        #expect(table.elements == ["second"])
    }

    @Test func `an element is marked once until its mark is removed`() {
        var table = SlotTable<String>()
        let id = table.reserve()
        let isMarkedBefore = table.mark(id)
        #expect(!isMarkedBefore, "there is no element yet")
        table[id] = "a"
        let marks = [table.mark(id), table.mark(id)]
        #expect(marks == [true, false])
        let element = table.unmark(id)
        #expect(element == "a")
        let isMarkedAgain = table.mark(id)
        #expect(isMarkedAgain)
    }

    @Test func `a table is empty after its last element was removed`() {
        var table = SlotTable<Int>()
        let ids = (0..<3).map { _ in table.reserve() }
        #expect(!ids.contains(0))
        for id in ids { table[id] = 1 }
        #expect(!table.isEmpty)
        for id in ids { table.remove(id) }
        #expect(table.isEmpty)
    }
}
