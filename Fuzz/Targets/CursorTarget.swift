import KeyStore
import Tenancy

extension FuzzTarget {
    static func checkCursor(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let text = input.text
        if let cursor = PageCursor(text) {
            try require(cursor.text == text, "a cursor has one spelling")
            try require(PageCursor(cursor.text) == cursor, "a cursor is read back from its text")
            try require(text.isVisibleASCII, "a cursor is visible ASCII")
        }
        for order in KeyBrowse.Order.allCases {
            guard let cursor = KeyBrowse.Cursor(text, of: order) else { continue }
            try require(cursor.text == text, "a cursor of keys has one spelling")
            try require(
                KeyBrowse.Cursor(cursor.text, of: order) == cursor,
                "a cursor of keys is read back from its text"
            )
            try require(text.isVisibleASCII, "a cursor of keys is visible ASCII")
        }
        let newest = KeyBrowse.Cursor(text, of: .created)
        try require((newest == nil) == (PageCursor(text) == nil), "the newest keys have the cursors of other lists")
    }
}

extension String {
    fileprivate var isVisibleASCII: Bool { utf8.allSatisfy { $0 < 0x80 && $0 > 0x20 } }
}
