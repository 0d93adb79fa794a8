import Tenancy

extension FuzzTarget {
    static func checkCursor(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let text = input.text
        guard let cursor = PageCursor(text) else { return }
        try require(cursor.text == text, "a cursor has one spelling")
        try require(PageCursor(cursor.text) == cursor, "a cursor is read back from its text")
        try require(text.utf8.allSatisfy { $0 < 0x80 && $0 > 0x20 }, "a cursor is visible ASCII")
    }
}
