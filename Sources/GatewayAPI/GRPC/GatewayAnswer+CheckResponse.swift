package import NIOCore

extension GatewayAnswer {
    /// The headers that a client cannot send on, because the gateway removes them.
    ///
    /// The names of the identity are not among them. Envoy replaces these, and it removes after it has replaced.
    private static let removedNames = ["x-mortise-reason", "x-mortise-key"]

    /// Writes the answer as an `envoy.service.auth.v3.CheckResponse`.
    ///
    /// A refusal is a response too and never an error of gRPC: with `failure_mode_allow`, an error lets everybody in.
    package func writeCheckResponse(to buffer: inout ByteBuffer) {
        let isValid = status == 200
        // CheckResponse.status, whose code 0 is not written
        buffer.writeMessage(1) { if !isValid { $0.writeNumber(1, rpcCode) } }
        guard isValid else {
            // CheckResponse.denied_response
            return buffer.writeMessage(2) {
                // DeniedHttpResponse.status, HttpStatus.code
                $0.writeMessage(1) { $0.writeNumber(1, status) }
                for field in fields { $0.writeHeader(2, field) }
                $0.writeBytes(3, body)
            }
        }
        // CheckResponse.ok_response
        buffer.writeMessage(3) {
            // The field is about the answer to the gateway, and not about the request that the gateway sends on.
            for field in fields where field.name != "Cache-Control" { $0.writeHeader(2, field) }
            for name in Self.removedNames { $0.writeBytes(5, name.utf8) }
        }
    }

    /// The code of `google.rpc.Status` for the status.
    private var rpcCode: Int {
        let code: GRPCStatus.Code =
            switch status {
            case 400: .invalidArgument
            case 401: .unauthenticated
            case 429: .resourceExhausted
            case 503: .unavailable
            default: .permissionDenied
            }
        return code.rawValue
    }
}

extension ByteBuffer {
    /// Writes a submessage of Protocol Buffers.
    fileprivate mutating func writeMessage(_ field: Int, _ body: (inout ByteBuffer) -> Void) {
        writeVarint(field << 3 | 2)
        // One byte has room for the length of most messages. The contents of a longer one are moved.
        let start = writerIndex
        writeInteger(UInt8(0))
        body(&self)
        let length = writerIndex - start - 1
        guard length >= 0x80 else {
            setInteger(UInt8(length), at: start)
            return
        }
        let contents = getBytes(at: start + 1, length: length) ?? []
        moveWriterIndex(to: start)
        writeVarint(length)
        writeBytes(contents)
    }

    fileprivate mutating func writeNumber(_ field: Int, _ number: Int) {
        writeVarint(field << 3)
        writeVarint(number)
    }

    fileprivate mutating func writeBytes(_ field: Int, _ bytes: some Collection<UInt8>) {
        writeVarint(field << 3 | 2)
        writeVarint(bytes.count)
        writeBytes(bytes)
    }

    /// Writes a `HeaderValueOption` that replaces the headers of the same name, and that counts even if it is empty.
    fileprivate mutating func writeHeader(_ number: Int, _ header: GatewayAnswer.Field) {
        writeMessage(number) {
            // HeaderValueOption.header
            $0.writeMessage(1) {
                $0.writeBytes(1, header.name.utf8.lazy.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 })
                $0.writeBytes(2, header.value.utf8)
            }
            // HeaderValueOption.append_action: OVERWRITE_IF_EXISTS_OR_ADD
            $0.writeNumber(3, 2)
            // HeaderValueOption.keep_empty_value
            $0.writeNumber(4, 1)
        }
    }

    private mutating func writeVarint(_ number: Int) {
        var number = number
        while number >= 0x80 {
            writeInteger(UInt8(number & 0x7F | 0x80))
            number >>= 7
        }
        writeInteger(UInt8(number))
    }
}
