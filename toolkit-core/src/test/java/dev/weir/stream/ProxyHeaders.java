package dev.weir.stream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/** Headers of the PROXY protocol, written byte by byte after its specification. */
final class ProxyHeaders {
  private static final byte[] SIGNATURE = HexFormat.of().parseHex("0d0a0d0a000d0a515549540a");

  static final int PROXY = 0x21;
  static final int LOCAL = 0x20;
  static final int TCP4 = 0x11;
  static final int TCP6 = 0x21;

  /** 192.0.2.1:56324 -> 198.51.100.7:443. */
  static final byte[] ADDRESSES_4 =
      HexFormat.of().parseHex("c0000201" + "c6336407" + "dc04" + "01bb");

  /** [2001:db8::1]:56324 -> [2001:db8::7]:443. */
  static final byte[] ADDRESSES_6 =
      HexFormat.of()
          .parseHex(
              "20010db8000000000000000000000001"
                  + "20010db8000000000000000000000007"
                  + "dc04"
                  + "01bb");

  private ProxyHeaders() {}

  static byte[] v1(String line) {
    return line.getBytes(ISO_8859_1);
  }

  static byte[] v2(int versionAndCommand, int family, byte[]... parts) {
    byte[] block = concat(parts);
    return concat(
        SIGNATURE,
        new byte[] {
          (byte) versionAndCommand, (byte) family, (byte) (block.length >> 8), (byte) block.length
        },
        block);
  }

  static byte[] tlv(int type, byte[] value) {
    return concat(new byte[] {(byte) type, (byte) (value.length >> 8), (byte) value.length}, value);
  }

  /** A header with TLVs before and behind its checksum. */
  static byte[] v2WithChecksum(int addition) {
    byte[] header =
        v2(
            PROXY,
            TCP4,
            ADDRESSES_4,
            tlv(4, new byte[5]),
            tlv(3, new byte[4]),
            tlv(2, "host".getBytes(ISO_8859_1)));
    CRC32C sum = new CRC32C();
    sum.update(header);
    int at = SIGNATURE.length + 4 + ADDRESSES_4.length + 8 + 3;
    ByteBuffer.wrap(header).putInt(at, (int) sum.getValue() + addition);
    return header;
  }

  static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }
}
