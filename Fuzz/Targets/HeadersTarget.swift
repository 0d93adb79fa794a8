import Endpoints
import HTTPTypes
import Keys
import NIOCore
import Surfaces

extension FuzzTarget {
    /// Reads the lines of the input as trusted proxies, the peer of the connection, and values of header fields.
    static func checkHeaders(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let lines = input.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for line in lines { try checkBearer(line) }
        guard lines.count >= 2, let addresses = try? ClientAddresses(parsing: lines[0]) else { return }
        let peer = try? SocketAddress(ipAddress: lines[1], port: 1)
        try checkAddress(lines.dropFirst(2), addresses, peer)
    }

    private static func checkBearer(_ value: String) throws(BrokenProperty) {
        guard let credential = BearerCredential.read(value) else { return }
        try require(!credential.isEmpty, "a credential is not empty")
        try require(value.utf8.suffix(credential.utf8.count).elementsEqual(credential.utf8), "a credential is the end")
        try require(value.prefix(7).lowercased() == "bearer ", "a credential has its scheme before it")
        let again = BearerCredential.read("bEARER \(credential)")
        try require(again == credential, "the case of the scheme does not matter")
    }

    private static func checkAddress(
        _ values: ArraySlice<String>,
        _ addresses: ClientAddresses,
        _ peer: SocketAddress?
    ) throws(BrokenProperty) {
        let found = addresses.address(fields(values), peer)
        guard let peerAddress = peer?.ipAddress.flatMap({ IPAddress($0) }) else {
            return try require(found == nil, "without a peer no address is known")
        }
        let isTrusted = ClientAddresses().address(HTTPFields(), peer) != addresses.address(fields(["192.0.2.1"]), peer)
        if !isTrusted, peerAddress.description != "192.0.2.1" {
            try require(found == peerAddress, "a header of a peer that is not trusted changes nothing")
        }
        // Attack: a client writes addresses into the header before the proxy adds the real one.
        for invented in ["203.0.113.9", "192.0.2.1, 203.0.113.9", "x", ""] {
            let again = addresses.address(fields([invented] + values), peer)
            guard let found, found != peerAddress else { continue }
            let isLast = addresses.address(fields([found.description]), peer) == found
            let stopsThere = addresses.address(fields(["198.51.100.7", found.description]), peer) == found
            if isLast, stopsThere {
                try require(again == found, "values on the left change nothing")
            }
        }
    }

    private static func fields(_ values: some Sequence<String>) -> HTTPFields {
        var fields = HTTPFields()
        guard let name = HTTPField.Name("X-Forwarded-For") else { return fields }
        for value in values where HTTPField.isValidValue(value) {
            fields.append(HTTPField(name: name, value: value))
        }
        return fields
    }
}
