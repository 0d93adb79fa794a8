import GatewayAPI
import Keys

extension FuzzTarget {
    static func checkProxy(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let bytes = Array(input)
        let reading = ProxyHeader.read(bytes)
        // The bytes arrive in pieces, which may end anywhere.
        for count in [0, bytes.count / 2, max(bytes.count - 1, 0)] {
            let early = ProxyHeader.read(bytes.prefix(count))
            try require(early != .malformed || reading == .malformed, "bytes that are no header do not become one")
        }
        switch reading {
        case .malformed: break
        case .incomplete:
            try require(bytes.count < ProxyHeader.maximumLength, "a header ends within the bound")
        case .complete(let header, let length):
            try require((1...bytes.count).contains(length), "a header ends in the input")
            try require(length <= ProxyHeader.maximumLength, "a header ends within the bound")
            for count in [0, length / 2, length - 1] {
                try require(ProxyHeader.read(bytes.prefix(count)) == .incomplete, "a part of a header is incomplete")
            }
            let head = Array(bytes.prefix(length))
            try require(ProxyHeader.read(head) == reading, "the bytes behind a header change nothing")
            try require(ProxyHeader.read(head + [0x0D, 0x0A]) == reading, "the client's own bytes change nothing")
            guard case .client(let address?) = header else { return }
            try checkLine(address)
        }
    }

    /// Checks that an address is read back from a line of version 1.
    private static func checkLine(_ address: IPAddress) throws(BrokenProperty) {
        let text = address.description
        let line = "PROXY TCP\(text.contains(":") ? 6 : 4) \(text) \(text) 1 65535\r\n"
        let expected = ProxyHeader.Reading.complete(.client(address), length: line.utf8.count)
        try require(ProxyHeader.read(Array(line.utf8)) == expected, "an address is read back from its line")
    }
}
